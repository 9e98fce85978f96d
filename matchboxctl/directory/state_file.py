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
from matchboxctl.directory.drafts import sync_directory
from matchboxctl.directory.waiting import MustWaitError, is_at_once

FILE = "state.sqlite"
MARKER = "state.created"
"""The file that says that there was a state once."""

_BUSY_SECONDS = 2.0
_NEEDED_BYTES = 65_536
_MOUNTS = Path("/proc/self/mountinfo")
_OF_NETWORKS = frozenset({"9p", "afs", "beegfs", "ceph", "cifs", "glusterfs", "lustre", "nfs", "nfs4", "smb3", "smbfs"})
# By SQLite's primary codes; what it says itself is not for everybody.
_REASONS = {
    "BUSY": "another process has locked it",
    "CANTOPEN": "it cannot be opened",
    "CORRUPT": "it is damaged: restore it",
    "FULL": "the disk is full",
    "IOERR": "it cannot be read or written (a limit, a defect?)",
    "NOTADB": "it is not a state file: restore it",
    "READONLY": "it or its directory is read-only for this user",
}
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
            raise _BusyError(f"{self._path}: {_REASONS['BUSY']}")
        try:
            yield self._open(create=create)
        except (sqlite3.Error, OSError) as error:
            self._close()
            is_busy = isinstance(error, sqlite3.Error) and _code(error) == "BUSY"
            raise (_BusyError if is_busy else StoreUnavailableError)(
                f"{self._path}: {_reason(error, self._path)}"
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
            _create(self._path)
            found = self._path.stat()
        identity = (found.st_dev, found.st_ino, os.getpid())
        if self._connection is not None and self._opened == identity:
            # A newer release may have changed it meanwhile.
            _version(self._connection)
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


def _create(path: Path) -> None:
    """Create the file, which has keys, for the owner of its directory alone."""
    directory = path.parent.stat()
    with suppress(FileExistsError):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            if os.geteuid() == 0:
                os.fchown(descriptor, directory.st_uid, directory.st_gid)
        finally:
            os.close(descriptor)


def _connected(path: Path, seconds: float, *, is_new: bool) -> sqlite3.Connection:
    if kind := _network_file_system(path):
        raise OSError(0, f"its file system is a network's ({kind}), where processes cannot share it: use a local disk")
    connection = sqlite3.connect(path, timeout=seconds, isolation_level=None, check_same_thread=False)
    try:
        (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise OSError(0, "its file system cannot share it between processes (a network's?): use a local disk")
        connection.execute("PRAGMA synchronous = FULL")
        if not is_new and _version(connection) == 0:
            raise OSError(0, "it is empty, and machines would install again: restore it")
        _migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _network_file_system(path: Path) -> str:
    """The kind of file system that the file is on if it is a network's, else nothing."""
    number = path.stat().st_dev
    device = f"{os.major(number)}:{os.minor(number)}"
    with suppress(OSError):
        for line in _MOUNTS.read_text(errors="replace").splitlines():
            mount, _, source = line.partition(" - ")
            kind = source.split(" ")[0]
            if mount.split(" ")[2] == device and kind in _OF_NETWORKS:
                return kind
    return ""


def _version(connection: sqlite3.Connection) -> int:
    """The number of migrations that the file has seen. Raises OSError if they are more than those known here."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(_MIGRATIONS):
        raise OSError(0, "it was written by a newer release: install that one")
    return int(version)


def _migrate(connection: sqlite3.Connection) -> None:
    if _version(connection) == len(_MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")
    # Another process may have been faster.
    for statements in _MIGRATIONS[_version(connection) :]:
        for statement in statements.split(";"):
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {len(_MIGRATIONS)}")
    connection.execute("COMMIT")


def _code(error: sqlite3.Error) -> str:
    """SQLite's primary code, such as FULL."""
    return str(getattr(error, "sqlite_errorname", "")).removeprefix("SQLITE_").split("_")[0]


def _reason(error: sqlite3.Error | OSError, path: Path) -> str:
    if isinstance(error, OSError) and not error.errno:
        return str(error.strerror)
    code = _code(error) if isinstance(error, sqlite3.Error) else ""
    if code in ("", "CANTOPEN", "IOERR"):
        # Opening a file writes beside it, and SQLite does not say why it cannot.
        with suppress(OSError):
            disk = os.statvfs(path.parent)
            if not os.access(path.parent, os.W_OK):
                code = "READONLY"
            elif disk.f_bavail * disk.f_frsize < _NEEDED_BYTES:
                code = "FULL"
    return _REASONS.get(code) or (error.strerror if isinstance(error, OSError) else "") or str(error)
