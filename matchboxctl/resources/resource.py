"""The protocol of a resource: what the commands need to know of groups, profiles, templates and image sources."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeVar

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.catalog.selection import sort_key
from lambda_matchbox.catalog.templates import CatalogDocument
from lambda_matchbox.releases.sources import Source
from matchboxctl.documents.protocol import Documents, Warn
from matchboxctl.resources.files import NamedFile

Facts = Sequence[tuple[str, Iterable[str]]]
"""What `describe` shows: names, each with one or several lines."""

_Document = TypeVar("_Document", Group, Profile, Source)


class Description(NamedTuple):
    """One document for `describe`, and for programs."""

    facts: Facts
    document: Mapping[str, object]


class Content(NamedTuple):
    """One document as its file, and for programs."""

    file: bytes
    document: Mapping[str, object]


class Draft(NamedTuple):
    """A valid document to be written; `shown` is its file in messages.

    `notes` are about what is probably a mistake in the file; `problems` finds what machines would miss afterwards.
    """

    name: str
    shown: str
    document: CatalogDocument | Source
    put: Callable[[Documents], None]
    notes: Sequence[str]
    problems: Callable[[Documents], list[str]]


class Resource(Protocol):
    """One resource. The methods raise what `Documents` raises."""

    @property
    def word(self) -> str:
        """The name of its command."""

    @property
    def kind(self) -> str:
        """The name of its directory."""

    @property
    def columns(self) -> Sequence[str]:
        """The header of the table."""

    def name_error(self, name: str) -> str:
        """Why this id or name is invalid; empty if it is valid."""

    def rows(self, documents: Documents, warn: Warn) -> list[Sequence[str]]:
        """The rows of the table, ordered by id or name; `warn` gets a line for each unreadable document."""

    def list_all(self, documents: Documents, warn: Warn) -> list[Mapping[str, object]]:
        """All documents, for programs."""

    def describe(self, documents: Documents, name: str) -> Description | None:
        """One document; None if it does not exist."""

    def get(self, documents: Documents, name: str) -> Content | None:
        """One document; None if it does not exist."""

    def files(self, path: str, name: str | None) -> list[NamedFile]:
        """The documents in a file or directory; `name` is that of a single one. Raises FailedError, UsageError."""

    def draft(self, file: NamedFile) -> Draft:
        """The document in a file. Raises FailedError."""

    def check(self, documents: Documents, drafts: Sequence[Draft]) -> None:
        """Raise FailedError or UnwritableError where one of these could not be written, or would not count."""

    def delete(self, documents: Documents, name: str) -> bool:
        """Delete the document; False if it did not exist."""

    def users(self, documents: Documents, names: Collection[str], warn: Warn) -> Mapping[str, list[str]]:
        """For each of these that others refer to: who does, such as `group node1`."""


def in_order(documents: list[_Document]) -> list[_Document]:
    """The groups, profiles or sources by id."""
    return sorted(documents, key=lambda document: sort_key(document.id))


def check_each(documents: Documents, drafts: Sequence[Draft]) -> None:
    """Raise UnwritableError where one could not be written."""
    for draft in drafts:
        if not isinstance(draft.document, Source):
            documents.check(draft.document)
