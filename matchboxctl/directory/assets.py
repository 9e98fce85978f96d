"""Assets in a directory."""

import errno
import os
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from lambda_matchbox.assets.stores import AssetFile, DirectoryListing
from lambda_matchbox.errors import NotFoundError, StoreUnavailableError
from lambda_matchbox.golang.http import content_type
from lambda_matchbox.golang.http.paths import to_bytes
from matchboxctl.directory.drafts import is_draft
from matchboxctl.directory.file_cache import FileCache
from matchboxctl.directory.files import FETCHING

_ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL}


class AssetDirectory:
    """The asset store over a directory (see `assets.stores.AssetStore`).

    Symbolic links are followed, as by matchbox, unless they lead to what is `hidden`. `files` may be shared by several
    directories.
    """

    def __init__(
        self,
        root: Path,
        files: FileCache[AssetFile] | None = None,
        hidden: Callable[[Path], bool] = lambda _: False,
    ) -> None:
        self._root = root
        self._is_hidden = hidden
        self._files = FileCache(self._shown_file) if files is None else files

    def _path(self, path: str) -> Path:
        return _below(self._root, path)

    def file(self, path: str) -> AssetFile | None:
        """The regular file at that path."""
        try:
            return self._files.read(path, self._path(path))
        except StoreUnavailableError as error:
            if isinstance(error.__cause__, OSError) and error.__cause__.errno in _ABSENT:
                return None
            raise StoreUnavailableError(f"asset {path!r} {error}") from error

    def listing(self, path: str) -> DirectoryListing | None:
        """The files and directories in the directory at that path."""
        found = self._status(path)
        if found is None or not stat.S_ISDIR(found.st_mode) or self._is_hidden(self._path(path)):
            return None
        listing = DirectoryListing([], [])
        try:
            with os.scandir(self._path(path)) as entries:
                for entry in entries:
                    if not is_draft(entry.name) and entry.name != FETCHING:
                        (listing.directories if entry.is_dir() else listing.files).append(entry.name)
        except OSError as error:
            raise _unavailable(path, error) from error
        return listing

    def read(self, path: str, start: int, length: int) -> bytes:
        """`length` bytes from `start`."""
        try:
            with self._path(path).open("rb") as file:
                file.seek(start)
                read = file.read(length)
        except ValueError as error:  # a NUL
            raise NotFoundError(f"no asset {path!r}") from error
        except OSError as error:
            if error.errno in _ABSENT:
                raise NotFoundError(f"asset {path!r} is gone") from error
            raise _unavailable(path, error) from error
        if len(read) != length:
            raise StoreUnavailableError(f"asset {path!r} changed while it was read")
        return read

    def location(self, path: str, origin: str) -> Path:  # noqa: ARG002 (a local file has no address elsewhere)
        """The file's path on disk."""
        return self._path(path)

    def plain_address(self, path: str) -> None:  # noqa: ARG002 (a local file has no address elsewhere)
        """None: the server streams every file."""
        return

    def _shown_file(self, name: str, path: Path, found: os.stat_result) -> AssetFile:
        if self._is_hidden(path):
            raise FileNotFoundError
        return asset_file(name, path, found)

    def _status(self, path: str) -> os.stat_result | None:
        try:
            return self._path(path).stat()
        except ValueError:  # a NUL
            return None
        except OSError as error:
            if error.errno in _ABSENT:
                return None
            raise _unavailable(path, error) from error


def asset_file(name: str, path: Path, found: os.stat_result) -> AssetFile:
    """The metadata of the file with that status. Raises OSError."""
    with path.open("rb") as file:
        head = file.read(content_type.SNIFFED)
    return AssetFile(
        size=found.st_size,
        content_type=content_type.of_file(name, head),
        etag=f'"{found.st_mtime_ns:x}-{found.st_size:x}"',
        modified=datetime.fromtimestamp(int(found.st_mtime), UTC),
    )


@lru_cache(maxsize=1024)
def _below(root: Path, path: str) -> Path:
    return root / os.fsdecode(to_bytes(path))


def _unavailable(path: str, error: OSError) -> StoreUnavailableError:
    return StoreUnavailableError(f"asset {path!r} cannot be read: {error.strerror}")
