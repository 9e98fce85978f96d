"""Temporary directories that are locked while their process lives, so that those of killed processes can be removed."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def locked(above: Path, prefix: str) -> Iterator[Path]:
    """A new directory for its owner alone, locked while this process lives, and removed afterwards."""
    while True:
        made = Path(tempfile.mkdtemp(prefix=prefix, dir=above))
        lock = None
        # Until it is locked, another process may remove it as abandoned.
        with suppress(FileNotFoundError):
            lock = os.open(made, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(lock, fcntl.LOCK_EX)
        if lock is not None and made.exists():
            break
        if lock is not None:
            os.close(lock)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
        os.close(lock)


def remove_abandoned(above: Path, prefix: str) -> None:
    """Remove the directories that killed processes left."""
    for found in above.glob(f"{prefix}*"):
        try:
            lock = os.open(found, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            # Another user's, or removed.
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(found, ignore_errors=True)
        except BlockingIOError:
            # Its process is running.
            continue
        finally:
            os.close(lock)
