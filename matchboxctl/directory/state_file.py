"""The file `state.sqlite` of a data directory, which `serve` and commands share.

A change is on disk before its caller goes on (WAL, synchronous=FULL), and a killed process loses none. A file beside it
says that it was there once: machines must not install again because it is gone.
"""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lambda_matchbox.errors import StoreUnavailableError
from matchboxctl.directory import sqlite_file
from matchboxctl.directory.drafts import sync_directory
from matchboxctl.directory.waiting import MustWaitError, is_at_once

FILE = "state.sqlite"
MARKER = "state.created"
"""The file that says that there was a state once."""

_BUSY_SECONDS = 2.0
# The file's version is the number of those that it has seen.
_MIGRATIONS = (
    """
    CREATE TABLE machine (identity TEXT PRIMARY KEY, revision TEXT NOT NULL, state TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE token_key (made INTEGER PRIMARY KEY, key BLOB NOT NULL);
    """,
)


class StateFile:
    """The file, for any number of threads. It is created by the first write.

    No reader waits for a writer. Inside `at_once` nothing waits, and what would have to raises MustWaitError.
    """

    def __init__(self, root: Path) -> None:
        self._at_once = _Connection(root, 0.0)
        self._reads = _Connection(root, _BUSY_SECONDS)
        self._writes = _Connection(root, _BUSY_SECONDS)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection | None]:
        """A connection to read with; None if the file was never there. Raises StoreUnavailableError."""
        if not is_at_once():
            with self._reads.opened(create=False) as connection:
                yield connection
            return
        try:
            with self._at_once.opened(create=False) as connection:
                yield connection
        except _BusyError as error:
            raise MustWaitError from error

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction, on disk at its end. Raises StoreUnavailableError."""
        if is_at_once():
            raise MustWaitError
        with self._writes.opened(create=True) as connection:
            if connection is None:
                raise StoreUnavailableError(f"{FILE} is not there")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close the file."""
        for connection in (self._at_once, self._reads, self._writes):
            connection.close()


class _BusyError(StoreUnavailableError):
    """Another thread or process was not done in time."""


class _Connection:
    """One to the file, opened again in a forked process and when the file was replaced."""

    def __init__(self, root: Path, seconds: float) -> None:
        self._path = root / FILE
        self._marker = root / MARKER
        self._seconds = seconds
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._opened: tuple[int, int, int] | None = None

    @contextmanager
    def opened(self, *, create: bool) -> Iterator[sqlite3.Connection | None]:
        """The connection; None if the file was never there. Raises StoreUnavailableError."""
        if not self._lock.acquire(timeout=self._seconds):
            raise _BusyError(f"{self._path}: another process has locked it")
        try:
            yield self._open(create=create)
        except (sqlite3.Error, OSError) as error:
            self._close()
            is_busy = isinstance(error, sqlite3.Error) and sqlite_file.code(error) == "BUSY"
            raise (_BusyError if is_busy else StoreUnavailableError)(
                f"{self._path}: {sqlite_file.reason(error, self._path)}"
            ) from error
        finally:
            self._lock.release()

    def close(self) -> None:
        with self._lock:
            self._close()

    def _open(self, *, create: bool) -> sqlite3.Connection | None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            self._close()
            if self._marker.exists():
                raise StoreUnavailableError(
                    f"{self._path} is gone, and machines would install again: restore it, or remove {self._marker} to "
                    "begin anew"
                ) from None
            if not create:
                return None
            sqlite_file.create(self._path)
            found = self._path.stat()
        identity = (found.st_dev, found.st_ino, os.getpid())
        if self._connection is not None and self._opened == identity:
            # A newer release may have changed it meanwhile.
            sqlite_file.version(self._connection, _MIGRATIONS)
        else:
            self._close()
            self._connection = _connected(self._path, self._seconds, is_new=not self._marker.exists())
            self._opened = identity
            if not self._marker.exists():
                self._marker.touch()
                sync_directory(self._marker.parent)
        return self._connection

    def _close(self) -> None:
        if self._connection is not None and self._opened is not None and self._opened[2] == os.getpid():
            # A connection of the process before a fork may not even be closed.
            self._connection.close()
        self._connection = self._opened = None


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
