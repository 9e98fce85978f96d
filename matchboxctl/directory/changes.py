"""Changed files of a directory."""

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from struct import pack
from typing import Protocol

UNSURE = bytes(32)
"""The state of a file that counts as changed at the next look."""

# FAT's clock has ticks of two seconds.
_SETTLED_NANOSECONDS = 3_000_000_000


class Changes(Protocol):
    """Names the files that were added, changed or removed since the last call; at the first call since `seen`."""

    def names(self) -> set[str]:
        """The names, without the directory. Raises OSError if the directory cannot be read."""

    def states(self) -> dict[str, bytes]:
        """The states of all files as they were before they were named, for a later `seen`; each of 32 bytes."""

    def close(self) -> None:
        """Stop watching."""


class Scan:
    """Compares each file's stat: for systems without inotify, and while the directory does not exist.

    `links` are the symbolic links that it has found.
    """

    def __init__(self, directory: Path, seen: Mapping[str, bytes] = {}) -> None:
        self._directory = directory
        self._seen = seen
        self._began = 0
        self.links: set[str] = set()

    def names(self) -> set[str]:
        """The names of files with another time, size or inode, and of deleted ones."""
        now: dict[str, bytes] = {}
        began, links = time.time_ns(), set[str]()
        try:
            with os.scandir(self._directory) as entries:
                for entry in entries:
                    if entry.is_symlink():
                        links.add(entry.name)
                    try:
                        status = entry.stat()
                    except OSError:
                        # A dangling link, or a file deleted just now.
                        now[entry.name] = b""
                        continue
                    # A third of the memory of their tuple.
                    now[entry.name] = pack(
                        "=qqQq", status.st_mtime_ns, status.st_size, status.st_ino, status.st_ctime_ns
                    )
        except (FileNotFoundError, NotADirectoryError):
            pass
        changed = {name for name, state in now.items() if self._seen.get(name) != state}
        changed |= self._seen.keys() - now.keys()
        self._seen, self._began, self.links = now, began, links
        return changed

    def states(self) -> dict[str, bytes]:
        """The states of the files of the last scan.

        One that changed just before it may have changed again within a tick of its file system's clock: git calls such
        a file racily clean.
        """
        settled = self._began - _SETTLED_NANOSECONDS
        return {name: state if 0 < _changed(state) < settled else UNSURE for name, state in self._seen.items()}

    def close(self) -> None:
        """Nothing to close."""


def _changed(state: bytes) -> int:
    return int.from_bytes(state[24:], sys.byteorder, signed=True)
