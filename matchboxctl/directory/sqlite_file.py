"""SQLite files of a data directory: how they are created, opened and migrated, and why they cannot be."""

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

_NEEDED_BYTES = 65_536
_RETRY_SECONDS = 0.01
_MOUNTS = Path("/proc/self/mountinfo")
_OF_NETWORKS = frozenset({"9p", "afs", "beegfs", "ceph", "cifs", "glusterfs", "lustre", "nfs", "nfs4", "smb3", "smbfs"})
# By SQLite's primary codes; what it says itself is not for everybody.
_REASONS = {
    "BUSY": "another process has locked it",
    "CANTOPEN": "it cannot be opened",
    "CORRUPT": "it is damaged: restore it",
    "FULL": "the disk is full",
    "IOERR": "it cannot be read or written (a limit, a defect?)",
    "NOTADB": "it is not a file of SQLite: restore it",
    "READONLY": "it or its directory is read-only for this user",
}


def create(path: Path) -> None:
    """Create the file, which has keys or names of machines, for the owner of its directory alone."""
    directory = path.parent.stat()
    with suppress(FileExistsError):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            if os.geteuid() == 0:
                os.fchown(descriptor, directory.st_uid, directory.st_gid)
        finally:
            os.close(descriptor)


def connect(path: Path, seconds: float, synchronous: str) -> sqlite3.Connection:
    """A connection for any thread, which waits so long for other processes. Raises OSError, sqlite3.Error."""
    if kind := _network_file_system(path):
        raise OSError(0, f"its file system is a network's ({kind}), where processes cannot share it: use a local disk")
    connection = sqlite3.connect(path, timeout=seconds, isolation_level=None, check_same_thread=False)
    try:
        if _journal_mode(connection, time.monotonic() + seconds) != "wal":
            raise OSError(0, "its file system cannot share it between processes (a network's?): use a local disk")
        connection.execute(f"PRAGMA synchronous = {synchronous}")
    except BaseException:
        connection.close()
        raise
    return connection


def _journal_mode(connection: sqlite3.Connection, deadline: float) -> str:
    """The mode after a change to WAL."""
    while True:
        try:
            return str(connection.execute("PRAGMA journal_mode = WAL").fetchone()[0])
        except sqlite3.OperationalError as error:
            # SQLite waits for no other process that makes the same change, of a new file.
            if code(error) != "BUSY" or time.monotonic() >= deadline:
                raise
            time.sleep(_RETRY_SECONDS)


def version(connection: sqlite3.Connection, migrations: Sequence[str]) -> int:
    """The number of migrations that the file has seen. Raises OSError if they are more than those known here."""
    (number,) = connection.execute("PRAGMA user_version").fetchone()
    if number > len(migrations):
        raise OSError(0, "it was written by a newer release: install that one")
    return int(number)


def migrate(connection: sqlite3.Connection, migrations: Sequence[str]) -> None:
    """Run the migrations that the file has not seen. Raises OSError, sqlite3.Error."""
    if version(connection, migrations) == len(migrations):
        return
    with transaction(connection):
        # Another process may have been faster.
        for statements in migrations[version(connection, migrations) :]:
            for statement in statements.split(";"):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(migrations)}")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """A transaction, committed at the end of the body, or rolled back. Raises sqlite3.Error."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def code(error: sqlite3.Error) -> str:
    """SQLite's primary code, such as FULL."""
    return str(getattr(error, "sqlite_errorname", "")).removeprefix("SQLITE_").split("_")[0]


def reason(error: sqlite3.Error | OSError, path: Path) -> str:
    """Why the file cannot be used, and what to do."""
    if isinstance(error, OSError) and not error.errno:
        return str(error.strerror)
    found = code(error) if isinstance(error, sqlite3.Error) else ""
    if found in ("", "CANTOPEN", "IOERR"):
        # Opening a file writes beside it, and SQLite does not say why it cannot.
        with suppress(OSError):
            disk = os.statvfs(path.parent)
            if not os.access(path.parent, os.W_OK):
                found = "READONLY"
            elif disk.f_bavail * disk.f_frsize < _NEEDED_BYTES:
                found = "FULL"
    return _REASONS.get(found) or (error.strerror if isinstance(error, OSError) else "") or str(error)


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
