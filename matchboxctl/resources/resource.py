"""The protocol of a resource: what the commands need to know of groups, profiles and templates."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeVar

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.catalog.selection import sort_key
from matchboxctl.documents.protocol import Documents, Warn
from matchboxctl.resources.files import NamedFile

Facts = Sequence[tuple[str, Iterable[str]]]
"""What `describe` shows: names, each with one or several lines."""

_Document = TypeVar("_Document", Group, Profile)


class Description(NamedTuple):
    """One document for `describe`, and for programs."""

    facts: Facts
    document: Mapping[str, object]


class Content(NamedTuple):
    """One document as its file, and for programs."""

    file: bytes
    document: Mapping[str, object]


class Draft(NamedTuple):
    """A valid document to be written.

    `notes` are about what is probably a mistake in the file; `problems` finds what machines would miss afterwards.
    """

    name: str
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

    def draft(self, file: NamedFile) -> Draft:
        """The document in a file. Raises FailedError."""

    def delete(self, documents: Documents, name: str) -> bool:
        """Delete the document; False if it did not exist."""

    def users(self, documents: Documents, names: Collection[str], warn: Warn) -> Mapping[str, list[str]]:
        """For each of these that others refer to: who does, such as `group node1`."""


def in_order(documents: list[_Document]) -> list[_Document]:
    """The groups or profiles by id."""
    return sorted(documents, key=lambda document: sort_key(document.id))
