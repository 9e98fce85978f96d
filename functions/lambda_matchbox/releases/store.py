"""The store of an image source's releases: a pointer and directories of files."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, NamedTuple, Protocol

from lambda_matchbox.releases.pointers import Pointer

if TYPE_CHECKING:
    from pathlib import Path


class ReleaseStoreError(Exception):
    """A release cannot be published.

    ReleaseStoreError
    ├── BusyError        another sync of the source is running
    ├── CopiesError      the pointer has moved, but some copies of its files are missing
    ├── LeaseLostError   the lease expired and another sync has begun
    └── MovedError       the pointer has changed since it was read
    """


class BusyError(ReleaseStoreError):
    """Another sync of the source is running."""


class CopiesError(ReleaseStoreError):
    """The pointer has moved, but some copies of its files are missing."""


class LeaseLostError(ReleaseStoreError):
    """The lease of this sync expired and another sync has begun."""


class MovedError(ReleaseStoreError):
    """The pointer has changed since it was read."""


class ReleaseFile(NamedTuple):
    """A file to store: its local copy, its size in bytes, its SHA-256 in hexadecimal digits."""

    file: "Path"
    size: int
    sha256: str
    content_type: str


class ReleaseStore(Protocol):
    """The releases of one source.

    Every method raises StoreUnavailableError or AWSError for failures of table or bucket, and OSError for those of a
    disk. The name of a directory begins with `releases.pointers.directory_prefix` and is unique to one sync; a file's
    name is its path in the directory.
    """

    def pointer(self) -> Pointer | None:
        """The pointer; None where nothing is published."""

    def move(self, old: Pointer | None, new: Pointer | None, lease: str | None = None) -> None:
        """Replace the pointer `old` by `new`; None removes it, so that nothing is served.

        Raises MovedError where the pointer is not `old`, LeaseLostError where `lease` is given and lost, and
        CopiesError after it has moved.
        """

    def lease(self) -> AbstractContextManager[str]:
        """A lease for publishing, held by one at a time; it ends soon after its holder is killed. Raises BusyError."""

    def checked(self) -> int | None:
        """When the source was last up to date, in seconds since 1970; None for never."""

    def note_checked(self, moment: int) -> None:
        """Record that the source was up to date at this moment."""

    def directories(self) -> Mapping[str, Mapping[str, int]]:
        """The sizes of files by their names, by directory, also of directories that no pointer names."""

    def sizes(self, directory: str) -> Mapping[str, int]:
        """The sizes of the files in one directory, by name."""

    def put(self, directory: str, name: str, file: ReleaseFile) -> None:
        """Store the file, whole and verified against its SHA-256, or fail."""

    def copy(self, directory: str, name: str, origin_directory: str, origin_name: str, sha256: str) -> bool:
        """Copy a stored file.

        Returns False where the original is missing or does not have this SHA-256 (in hexadecimal digits); the content
        of the copy is undefined then.
        """

    def read(self, directory: str, name: str) -> bytes | None:
        """The content of a small file; None where it is missing."""

    def discard(self, directory: str) -> None:
        """Remove the directory."""
