"""Changed files of a directory."""

import os
from pathlib import Path
from struct import pack
from typing import Protocol


class Changes(Protocol):
    """Names the files that were added, changed or removed since the last call; at the first call all files."""

    def names(self) -> set[str]:
        """The names, without the directory. Raises OSError if the directory cannot be read."""

    def close(self) -> None:
        """Stop watching."""


class Scan:
    """Compares each file's stat: for systems without inotify, and while the directory does not exist."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._seen: dict[str, bytes] = {}

    def names(self) -> set[str]:
        """The names of files with another time, size or inode, and of deleted ones."""
        now: dict[str, bytes] = {}
        try:
            with os.scandir(self._directory) as entries:
                for entry in entries:
                    try:
                        status = entry.stat()
                    except OSError:
                        # A dangling link, or a file deleted just now.
                        now[entry.name] = b""
                        continue
                    # A third of the memory of their tuple.
                    now[entry.name] = pack("=qqQ", status.st_mtime_ns, status.st_size, status.st_ino)
        except (FileNotFoundError, NotADirectoryError):
            pass
        changed = {name for name, state in now.items() if self._seen.get(name) != state}
        changed |= self._seen.keys() - now.keys()
        self._seen = now
        return changed

    def close(self) -> None:
        """Nothing to close."""
