"""The protocol by which commands read and write groups, profiles, templates and image sources."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.catalog.templates import CatalogDocument
from lambda_matchbox.errors import MatchboxError
from lambda_matchbox.releases.sources import Source

Warn = Callable[[str], None]
"""Called with a message for each document that is left out because it cannot be read."""


def ignore(_: str) -> None:
    """Leave out unreadable documents silently, as matchbox does."""


class FileError(MatchboxError):
    """A file that cannot be read, written or removed, in the words of Go's os package."""


class TemplateSize(NamedTuple):
    """A template's name, and its size in bytes."""

    name: str
    size: int


class Documents(Protocol):
    """Reads and writes groups, profiles, templates and image sources, for any number of threads.

    Every method raises StoreUnavailableError or AWSError if the store is unavailable or refuses, UnwritableError for a
    document that it cannot hold, and FileError for errors of the operating system.
    """

    @property
    def root(self) -> str:
        """The data directory for messages."""

    def names(self, kind: str) -> list[str]:
        """The ids of `groups`, `profiles` or `sources`, or the names of templates of that kind, in no order."""

    def holds(self, kind: str, name: str) -> bool:
        """Whether this document of that kind (see `names`) exists, readable or not."""

    def check(self, document: CatalogDocument) -> None:
        """Raise UnwritableError or FileError for a document that could not be put."""

    def group(self, group_id: str) -> Group | None:
        """The group with that id. Raises DocumentError, and InvalidMACError for an invalid address in its selector."""

    def groups(self, warn: Warn = ignore, *, metadata: bool = True) -> list[Group]:
        """All readable groups, in no order; their metadata may be empty if `metadata` is false."""

    def put_group(self, group: Group) -> None:
        """Add the group, or replace the one with that id; its selector has addresses as the client sent them."""

    def delete_group(self, group_id: str) -> bool:
        """Delete the group; False if it does not exist.

        Raises DocumentError for a damaged item in a table, whose entries are unknown.
        """

    def profile(self, profile_id: str) -> Profile | None:
        """The profile with that id. Raises DocumentError."""

    def profiles(self, warn: Warn = ignore, *, metadata: bool = True) -> list[Profile]:
        """All readable profiles, in no order; their metadata may be empty if `metadata` is false."""

    def put_profile(self, profile: Profile) -> None:
        """Add the profile, or replace the one with that id."""

    def delete_profile(self, profile_id: str) -> bool:
        """Delete the profile; False if it does not exist."""

    def template(self, kind: str, name: str) -> bytes | None:
        """The template of that kind and name. Raises DocumentError for a damaged item in a table."""

    def templates(self, kind: str, warn: Warn = ignore) -> list[TemplateSize]:
        """All templates of that kind, in no order."""

    def put_template(self, kind: str, name: str, body: bytes) -> None:
        """Add the template, or replace the one of that kind and name."""

    def delete_template(self, kind: str, name: str) -> bool:
        """Delete the template; False if it does not exist."""

    def source(self, source_id: str) -> Source | None:
        """The image source with that id. Raises DocumentError."""

    def sources(self, warn: Warn = ignore) -> list[Source]:
        """All readable image sources, in no order."""

    def put_source(self, source: Source) -> None:
        """Add the image source, or replace the one with that id."""

    def delete_source(self, source_id: str) -> bool:
        """Delete the image source; False if it does not exist. What it has published stays."""
