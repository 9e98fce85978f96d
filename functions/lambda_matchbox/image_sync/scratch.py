"""A directory for the temporary files of a sync; what a killed sync left is removed."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PREFIX = "matchbox-sync-"


@contextmanager
def emptied(directory: Path | None) -> Iterator[Path]:
    """`directory`, created and empty, or one of the system's; removed afterwards. Raises OSError.

    What a killed sync left is removed first: in this directory, or in each of the system's that is not locked.
    """
    if directory is None:
        _remove_abandoned()
        with _locked() as made:
            yield made
        return
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def _locked() -> Iterator[Path]:
    """A new temporary directory, locked while this process lives."""
    while True:
        made = Path(tempfile.mkdtemp(prefix=_PREFIX))
        lock = None
        # Until it is locked, another sync may remove it as abandoned.
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


def _remove_abandoned() -> None:
    for found in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            lock = os.open(found, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            # Another user's, or removed.
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(found, ignore_errors=True)
        except BlockingIOError:
            # Its sync is running.
            continue
        finally:
            os.close(lock)
