"""The releases of a data directory as `serve` reads them."""

import os
from pathlib import Path
from typing import NamedTuple

from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.releases.pointers import Pointers
from matchboxctl.directory.assets import AssetDirectory, asset_file
from matchboxctl.directory.file_cache import FileCache
from matchboxctl.directory.releases import POINTERS, read_pointers


class _FileState(NamedTuple):
    """What changes when a file is replaced."""

    inode: int
    modified: int
    size: int


class DirectoryReleases:
    """The releases of the directory (see `assets.stores.Releases`); the next request sees a change."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._file = root / POINTERS
        self._name = str(self._file)
        self._files = FileCache(asset_file)
        # Replaced as a whole: several threads read it.
        self._seen: tuple[_FileState, Pointers] | None = None

    def pointers(self) -> Pointers:
        """The pointers in the file now."""
        try:
            # Path.stat() takes longer, for each request.
            status = os.stat(self._name)  # noqa: PTH116
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except OSError as error:
            raise StoreUnavailableError(f"cannot read {self._file}: {error.strerror}") from error
        state = _FileState(status.st_ino, status.st_mtime_ns, status.st_size)
        seen = self._seen
        if seen is None or seen[0] != state:
            seen = self._seen = (state, read_pointers(self._root))
        return seen[1]

    def files(self, source_id: str, directory: str) -> AssetDirectory:
        """The files of the release in this directory."""
        return AssetDirectory(self._root / source_id / directory, self._files)
