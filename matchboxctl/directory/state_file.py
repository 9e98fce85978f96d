"""The file `state.sqlite` of a data directory, which `serve` and commands share.

A change is on disk before its caller goes on (WAL, synchronous=FULL), and a killed process loses none. A file beside it
says that it was there once: machines must not install again because it is gone.
"""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.machines.state import MachineState
from matchboxctl.directory import sqlite_file
from matchboxctl.directory.drafts import sync_directory
from matchboxctl.directory.waiting import MustWaitError, is_at_once

FILE = "state.sqlite"
MARKER = "state.created"
"""The file that says that there was a state once."""

_KEPT = 4096
_BUSY_SECONDS = 2.0
# The file's version is the number of those that it has seen.
_MIGRATIONS = (
    """
    CREATE TABLE machine (identity TEXT PRIMARY KEY, revision TEXT NOT NULL, state TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE token_key (made INTEGER PRIMARY KEY, key BLOB NOT NULL);
    """,
)


class OpenFile(NamedTuple):
    """A connection to the file, and what was read over it since another one's last commit."""

    connection: sqlite3.Connection
    kept: dict[tuple[str, ...], tuple[MachineState, ...]]


class StateFile:
    """The file, for any number of threads. It is created by the first write.

    No reader waits for a writer. Inside `AtOnce` nothing waits, and what would have to raises MustWaitError.
    """

    def __init__(self, root: Path) -> None:
        directories = {_identity(root)} if (root / MARKER).exists() else set()
        self._at_once = _Opener(root, 0.0, directories)
        self._reads = _Opener(root, _BUSY_SECONDS, directories)
        self._writes = _Opener(root, _BUSY_SECONDS, directories, creates=True)

    def reading(self) -> AbstractContextManager[OpenFile | None]:
        """The file to read from; None if it was never there. Raises StoreUnavailableError."""
        return self._at_once if is_at_once() else self._reads

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction, on disk at its end. Raises StoreUnavailableError."""
        if is_at_once():
            raise MustWaitError
        with self._writes as file:
            if file is None:
                raise StoreUnavailableError(f"{FILE} is not there")
            with sqlite_file.transaction(file.connection):
                yield file.connection

    def close(self) -> None:
        """Close the file."""
        for connection in (self._at_once, self._reads, self._writes):
            connection.close()


class _Opener(AbstractContextManager[OpenFile | None]):
    """Opens the file for one thread at a time, again in a forked process and when it was replaced.

    With 0 seconds to wait for other threads and processes, it raises MustWaitError in place of waiting. `directories`
    are those in which this process has found the file.
    """

    def __init__(self, root: Path, seconds: float, directories: set[tuple[int, int]], *, creates: bool = False) -> None:
        self._directories = directories
        self._path = root / FILE
        self._name = str(self._path)
        self._marker = root / MARKER
        self._seconds = seconds
        self._creates = creates
        self._lock = threading.Lock()
        self._file: OpenFile | None = None
        self._identity: tuple[int, int, int] | None = None
        self._data_version = 0

    def __enter__(self) -> OpenFile | None:
        """The open file; None if it was never there. Raises StoreUnavailableError."""
        if not self._lock.acquire(timeout=self._seconds):
            raise self._error("another process has locked it", is_busy=True)
        try:
            return self._open()
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        """Close the file if it failed, and raise StoreUnavailableError then."""
        try:
            if isinstance(error, sqlite3.Error | OSError):
                self._close()
                is_busy = isinstance(error, sqlite3.Error) and sqlite_file.code(error) == "BUSY"
                raise self._error(sqlite_file.reason(error, self._path), is_busy=is_busy) from error
        finally:
            self._lock.release()

    def _error(self, reason: str, *, is_busy: bool) -> Exception:
        return MustWaitError() if is_busy and not self._seconds else StoreUnavailableError(f"{self._path}: {reason}")

    def close(self) -> None:
        with self._lock:
            self._close()

    def _open(self) -> OpenFile | None:
        try:
            # Path.stat() takes longer, for each request.
            found = os.stat(self._name)  # noqa: PTH116
        except FileNotFoundError:
            self._close()
            if self._marker.exists():
                raise StoreUnavailableError(
                    f"{self._path} is gone, and machines would install again: restore it, or remove {self._marker} to "
                    "begin anew"
                ) from None
            if self._directories and _identity(self._path.parent) not in self._directories:
                raise StoreUnavailableError(
                    f"{self._path.parent} was replaced by a directory without {FILE}, and machines would install "
                    "again: copy it into this one, or restart to begin anew"
                ) from None
            if not self._creates:
                return None
            sqlite_file.create(self._path)
            found = self._path.stat()
        identity = (found.st_dev, found.st_ino, os.getpid())
        if self._file is not None and self._identity == identity:
            self._forget_after_commit(self._file)
        else:
            self._close()
            self._file = OpenFile(_connected(self._path, self._seconds, is_new=not self._marker.exists()), {})
            self._identity = identity
            self._directories.add(_identity(self._path.parent))
            if not self._marker.exists():
                self._marker.touch()
                sync_directory(self._marker.parent)
        return self._file

    def _forget_after_commit(self, file: OpenFile) -> None:
        (data_version,) = file.connection.execute("PRAGMA data_version").fetchone()
        if data_version != self._data_version or len(file.kept) > _KEPT:
            # A newer release may have changed it.
            sqlite_file.version(file.connection, _MIGRATIONS)
            file.kept.clear()
            self._data_version = data_version

    def _close(self) -> None:
        if self._file is not None and self._identity is not None and self._identity[2] == os.getpid():
            # A connection of the process before a fork may not even be closed.
            self._file.connection.close()
        self._file = self._identity = None
        self._data_version = 0


def _identity(directory: Path) -> tuple[int, int]:
    status = directory.stat()
    return status.st_dev, status.st_ino


def _connected(path: Path, seconds: float, *, is_new: bool) -> sqlite3.Connection:
    connection = sqlite_file.connect(path, seconds, "FULL")
    try:
        if not is_new and sqlite_file.version(connection, _MIGRATIONS) == 0:
            raise OSError(0, "it is empty, and machines would install again: restore it")
        sqlite_file.migrate(connection, _MIGRATIONS)
    except BaseException:
        connection.close()
        raise
    return connection
