"""The content of files, which is read again only when it has changed."""

import errno
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from lambda_matchbox.errors import StoreUnavailableError

_Value = TypeVar("_Value")

_MAX_FILES = 4096
_ABSENT = (errno.ENAMETOOLONG, errno.EINVAL)
# A file that is written twice within a tick of its file system's clock may look the same.
_SETTLED_NANOSECONDS = 1_000_000_000


class _FileState(NamedTuple):
    """What changes when a file is replaced or written to."""

    inode: int
    size: int
    modified: int
    changed: int


class FileCache(Generic[_Value]):
    """What `load` makes of files, as long as they do not change. Its errors are not kept.

    `load` gets the file's name, path and status.
    """

    def __init__(self, load: Callable[[str, Path, os.stat_result], _Value]) -> None:
        self._load = load
        # Several threads read it: entries are replaced as a whole.
        self._kept: dict[Path, tuple[_FileState, _Value]] = {}

    def read(self, name: str, path: Path) -> _Value | None:
        """The value of the file at that path; None if there is no regular file.

        Raises StoreUnavailableError if it cannot be read, and what `load` raises.
        """
        found = regular_file(path)
        if found is None:
            return None
        state = _FileState(found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        kept = self._kept.get(path)
        if kept is not None and kept[0] == state:
            return kept[1]
        try:
            value = self._load(name, path, found)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise StoreUnavailableError(f"cannot be read: {error.strerror}") from error
        if len(self._kept) >= _MAX_FILES:
            self._kept.clear()
        if time.time_ns() - state.changed > _SETTLED_NANOSECONDS:
            self._kept[path] = (state, value)
        return value


def read_file(path: str) -> bytes | None:
    """The file's bytes; None if there is no regular file. Raises StoreUnavailableError if it cannot be read."""
    try:
        found = regular_file(path)
        if found is None:
            return None
        # A file object takes twice as long, for each of many files.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            text = os.read(descriptor, found.st_size + 1)
        finally:
            os.close(descriptor)
        # Another length is that of a file that is being written, or of a very long one.
        return text if len(text) == found.st_size else Path(path).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StoreUnavailableError(f"cannot be read: {error.strerror}") from error


def regular_file(path: Path | str) -> os.stat_result | None:
    """The status of the file; None if there is no regular file. Raises StoreUnavailableError."""
    try:
        # Path.stat() takes longer, for each request.
        found = os.stat(path)  # noqa: PTH116
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    except OSError as error:
        if error.errno in _ABSENT:
            return None
        raise StoreUnavailableError(f"cannot be read: {error.strerror}") from error
    # Reading a pipe would block.
    return found if stat.S_ISREG(found.st_mode) else None
