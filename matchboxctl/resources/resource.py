"""What the commands on groups, profiles and templates need to know of each of these resources."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from matchboxctl.documents.protocol import Documents, Report
from matchboxctl.resources.files import NamedFile

Facts = Sequence[tuple[str, Iterable[str]]]
"""What `describe` shows: a name, and a line or several."""


class Description(NamedTuple):
    """One document for a reader, and for programs."""

    facts: Facts
    document: Mapping[str, object]


class Content(NamedTuple):
    """One document as its file has it, and for programs."""

    text: bytes
    document: Mapping[str, object]


class Draft(NamedTuple):
    """A document that is to be written.

    `notes` are what is lawful in the file, and hardly meant; `failing` finds what machines would miss for it.
    """

    name: str
    put: Callable[[Documents], None]
    notes: Sequence[str]
    failing: Callable[[Documents], list[str]]


class Resource(Protocol):
    """One resource; the methods raise what `Documents` raises."""

    @property
    def word(self) -> str:
        """What it is called in commands."""

    @property
    def kind(self) -> str:
        """What it is called in a data directory."""

    @property
    def columns(self) -> Sequence[str]:
        """The head of the table."""

    def fault(self, name: str) -> str:
        """Why none can have this id or name; nothing where one can."""

    def rows(self, documents: Documents, told: Report) -> list[Sequence[str]]:
        """The rows of the table, in the order of ids or names; `told` is given a line for what is left out."""

    def listed(self, documents: Documents, told: Report) -> list[Mapping[str, object]]:
        """The same for programs, whole."""

    def described(self, documents: Documents, name: str) -> Description | None:
        """One for `describe`; None where it is not there."""

    def content(self, documents: Documents, name: str) -> Content | None:
        """One for `get`; None where it is not there."""

    def draft(self, file: NamedFile) -> Draft:
        """What the file says. Raises FailedError."""

    def delete(self, documents: Documents, name: str) -> bool:
        """Take it out; False where it is not there."""

    def users(self, documents: Documents, names: Collection[str], told: Report) -> Mapping[str, list[str]]:
        """Who names them, as `group node1`, by these names; only those that somebody names."""
