"""Files that are replaced as a whole: each is written as a draft beside its file, which readers ignore.

A draft is locked (flock) while its writer lives; any other is what a killed writer left.
"""

import errno
import fcntl
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

_DRAFT = re.compile(r"\.put-[0-9a-f]{16}")

# Read once, before there are threads: it can be read only by setting it.
_UMASK = os.umask(0o077)
os.umask(_UMASK)


def is_draft(name: str) -> bool:
    """Whether a file of this name is a draft."""
    return _DRAFT.fullmatch(name) is not None


@contextmanager
def replacing(target: Path, *, private: bool = False) -> Iterator[BinaryIO]:
    """A draft for the body to write, which then replaces the file and is on disk, whole or not at all.

    The file keeps its mode, and its owner and group if possible; directories that it needs are created. A private file
    is its owner's alone, a new one that of its directory's owner if possible. Raises OSError with the file's path.
    """
    try:
        target.parent.mkdir(0o700 if private else 0o777, parents=True, exist_ok=True)
        draft, descriptor = _new_draft(target.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                if private:
                    _make_private(descriptor, target)
                else:
                    _set_owner_and_mode(descriptor, target)
                os.fsync(descriptor)
                draft.replace(target)
            sync_directory(target.parent)
        except BaseException:
            # KeyboardInterrupt too.
            draft.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(target)) from error


def remove_drafts(root: Path) -> None:
    """Remove the drafts of killed writers in the directory and below."""
    # A directory below may be a link to one elsewhere.
    for top in (root, *(each for each in _entries(root) if each.is_symlink() and each.is_dir())):
        for directory, _, names in os.walk(top):
            for name in filter(is_draft, names):
                _remove_unlocked(Path(directory, name))


def sync_directory(directory: Path) -> None:
    """Write the directory's entries to disk."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some file systems cannot.
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(descriptor)


def _new_draft(directory: Path) -> tuple[Path, int]:
    """A new, locked draft that only its owner can read, and its descriptor."""
    while True:
        draft = directory / f".put-{secrets.token_hex(8)}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        # On a file system without locks no draft is removed.
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        # Until it was locked, another writer may have removed it.
        if draft.exists():
            return draft, descriptor
        os.close(descriptor)


def _remove_unlocked(draft: Path) -> None:
    # It may be gone, another user's, or on a read-only file system.
    with suppress(OSError):
        descriptor = os.open(draft, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            draft.unlink()
        finally:
            os.close(descriptor)


def _set_owner_and_mode(descriptor: int, target: Path) -> None:
    """Give the draft the file's owner and mode; a new file may be read by those who may read its directory."""
    try:
        old = target.stat()
    except FileNotFoundError:
        os.fchmod(descriptor, 0o644 & ~_UMASK & target.parent.stat().st_mode)
        return
    _give(descriptor, old)
    mode = stat.S_IMODE(old.st_mode)
    if os.fstat(descriptor).st_gid != old.st_gid:
        # Another group gets what everybody has.
        mode &= ~0o070 | (mode & 0o007) << 3
    os.fchmod(descriptor, mode)


def _make_private(descriptor: int, target: Path) -> None:
    try:
        old = target.stat()
    except FileNotFoundError:
        old = target.parent.stat()
    _give(descriptor, old)
    os.fchmod(descriptor, 0o600)


def _give(descriptor: int, old: os.stat_result) -> None:
    """Give the draft that owner and group, if possible."""
    # Root writes for a server with another user; other users can give it only to a group of theirs.
    for owner in ((-1, old.st_gid), (old.st_uid, -1)):
        with suppress(OSError):
            os.fchown(descriptor, *owner)


def _entries(directory: Path) -> list[Path]:
    try:
        return list(directory.iterdir())
    except OSError:
        return []
