"""The content of files, which is read again only when it has changed."""

import errno
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from lambda_matchbox.errors import StoreUnavailableError

_Value = TypeVar("_Value")

_MAX_FILES = 4096
# A file that is written twice within a tick of its file system's clock may look the same.
_SETTLED_NANOSECONDS = 1_000_000_000


class _FileState(NamedTuple):
    """What changes when a file is replaced or written to."""

    inode: int
    size: int
    modified: int
    changed: int


class FileCache(Generic[_Value]):
    """What `parse` makes of the content of files, as long as they do not change. Its errors are not kept."""

    def __init__(self, parse: Callable[[str, bytes], _Value]) -> None:
        self._parse = parse
        # Several threads read it: entries are replaced as a whole.
        self._kept: dict[Path, tuple[_FileState, _Value]] = {}

    def read(self, name: str, path: Path) -> _Value | None:
        """The value of the file at that path, for which `parse` gets the name; None if there is no regular file.

        Raises StoreUnavailableError if it cannot be read, and what `parse` raises.
        """
        state = _state(path)
        if state is None:
            return None
        kept = self._kept.get(path)
        if kept is not None and kept[0] == state:
            return kept[1]
        content = read_file(path)
        if content is None:
            return None
        value = self._parse(name, content)
        if len(self._kept) >= _MAX_FILES:
            self._kept.clear()
        if time.time_ns() - state.changed > _SETTLED_NANOSECONDS:
            self._kept[path] = (state, value)
        return value


def read_file(path: Path) -> bytes | None:
    """The file's bytes; None if there is no regular file. Raises StoreUnavailableError if it cannot be read."""
    try:
        return None if _state(path) is None else path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except OSError as error:
        raise StoreUnavailableError(f"cannot be read: {error.strerror}") from error


def _state(path: Path) -> _FileState | None:
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return None
        raise StoreUnavailableError(f"cannot be read: {error.strerror}") from error
    # Reading a pipe would block.
    if not stat.S_ISREG(found.st_mode):
        return None
    return _FileState(found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
