"""Which files of a directory may have changed since it was last asked?"""

import os
from pathlib import Path
from typing import Protocol


class Changes(Protocol):
    """The names of files that were added, changed or removed since the last call; all of them at the first."""

    def names(self) -> set[str]:
        """The names, without the directory. Raises OSError where the directory cannot be read."""

    def close(self) -> None:
        """Be told of nothing more."""


class Scan:
    """By looking at each file: for systems without inotify, and while the directory does not exist."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._seen: dict[str, tuple[int, int, int]] = {}

    def names(self) -> set[str]:
        """The names of the files whose time, size or inode are new, and of those that have gone."""
        now: dict[str, tuple[int, int, int]] = {}
        try:
            with os.scandir(self._directory) as entries:
                for entry in entries:
                    try:
                        status = entry.stat()
                    except OSError:
                        # A link that leads nowhere, for now; or a file that has just gone.
                        now[entry.name] = (0, 0, 0)
                        continue
                    now[entry.name] = (status.st_mtime_ns, status.st_size, status.st_ino)
        except (FileNotFoundError, NotADirectoryError):
            pass
        changed = {name for name, state in now.items() if self._seen.get(name) != state}
        changed |= self._seen.keys() - now.keys()
        self._seen = now
        return changed

    def close(self) -> None:
        """Nothing is open."""
