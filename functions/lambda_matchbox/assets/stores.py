"""The protocols of what serves files below /assets/."""

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol

from lambda_matchbox.releases.pointers import Pointers

if TYPE_CHECKING:
    from pathlib import Path


class AssetFile(NamedTuple):
    """An asset's metadata; `etag` includes its quotes."""

    size: int
    content_type: str
    etag: str | None
    modified: datetime | None


class DirectoryListing(NamedTuple):
    """The names in a directory, without slashes."""

    files: list[str]
    directories: list[str]


class AssetStore(Protocol):
    """Files below /assets/. A path has no leading slash and neither `.` nor `..`; the root is empty.

    Every method raises StoreUnavailableError when it cannot answer just now.
    """

    def file(self, path: str) -> AssetFile | None:
        """The file at that path, or None where there is no file (but perhaps a directory)."""

    def listing(self, path: str) -> DirectoryListing | None:
        """The contents of the directory at that path, or None where there is no directory."""

    def read(self, path: str, start: int, length: int) -> bytes:
        """`length` bytes from `start`. Raises NotFoundError where the file has gone."""

    def location(self, path: str, origin: str) -> "Path | str":
        """The file's path on this machine, or a signed address that serves it.

        `origin` is scheme and host as the client addressed them.
        """

    def plain_address(self, path: str) -> str | None:
        """The address that serves the file without a signature; None where no address does."""


class Releases(Protocol):
    """The published releases of image sources. Every method raises StoreUnavailableError."""

    def pointers(self) -> Pointers:
        """The current pointer of each source."""

    def files(self, source_id: str, directory: str) -> AssetStore:
        """The files of the release in this directory."""
