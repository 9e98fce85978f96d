"""Where a sync puts the releases of one image source, and how it makes one of them current."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple, Protocol

from lambda_matchbox.releases.pointers import Pointer


class ReleaseStoreError(Exception):
    """A release cannot be put or made current.

    ReleaseStoreError
    ├── BusyError        another sync of this source is under way
    ├── LeaseLostError   this sync took so long that another one has begun, which counts
    └── MovedError       the pointer is another one by now
    """


class BusyError(ReleaseStoreError):
    """Another sync of this source is under way."""


class LeaseLostError(ReleaseStoreError):
    """This sync was silent for so long that another one has begun, which is the one that counts."""


class MovedError(ReleaseStoreError):
    """The pointer was moved by somebody else since it was read."""


class ReleaseFile(NamedTuple):
    """A file of a release: where it lies for now, its size in bytes, its SHA-256 in hexadecimal digits."""

    file: Path
    size: int
    sha256: str
    content_type: str


class ReleaseStore(Protocol):
    """The releases of one source.

    Every method raises StoreUnavailableError or AWSError where table or bucket fail, and OSError where a disk does.
    A directory begins with `releases.pointers.directory_prefix`, and no two syncs use the same one; a name is a path in
    the release.
    """

    def pointer(self) -> Pointer | None:
        """What is served now; None where nothing was published yet."""

    def move(self, old: Pointer | None, new: Pointer | None, lease: str | None = None) -> None:
        """Serve `new` from now on, if it is `old` that is served and the lease, where one is given, still holds.

        None takes the source's releases out of service. Raises MovedError and LeaseLostError, with nothing changed.
        """

    def lease(self) -> AbstractContextManager[str]:
        """The right to publish, for one at a time; it ends soon after its holder is killed. Raises BusyError."""

    def checked(self) -> int | None:
        """When the source was last found up to date, in seconds since 1970; None for never."""

    def note_checked(self, moment: int) -> None:
        """Remember that it was found up to date at this moment."""

    def directories(self) -> set[str]:
        """The directories where there are files, also those that no pointer names."""

    def sizes(self, directory: str) -> Mapping[str, int]:
        """The bytes of each file of the directory, by its name."""

    def put(self, directory: str, name: str, file: ReleaseFile) -> None:
        """Store the file, whole and verified against its SHA-256, or not at all."""

    def copy(self, directory: str, name: str, origin_directory: str, origin_name: str, sha256: str) -> bool:
        """Store what lies elsewhere on this store under this name, too.

        False where it is not there, or has not this SHA-256 (in hexadecimal digits): nothing is promised then of what
        is stored under the name.
        """

    def read(self, directory: str, name: str) -> bytes | None:
        """A small file's bytes; None where there is none."""

    def discard(self, directory: str) -> None:
        """Remove all files of the directory."""
