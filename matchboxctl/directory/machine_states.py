"""States of machines and keys of tokens in `state.sqlite` of a data directory.

`serve` and commands share the file: a change is on disk before its caller goes on (WAL, synchronous=FULL), and a killed
process loses none. A file beside it says that it was there once: machines must not install again because it is gone.
"""

import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.machines.records import DamagedRecordError, state_in, text_of
from lambda_matchbox.machines.state import MachineState
from lambda_matchbox.machines.stores import ChangedError, new_revision
from lambda_matchbox.machines.tokens import KEY_LIFETIME, KEY_SIZE

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


class DirectoryMachines:
    """The store over a data directory (see `machines.stores.EditableMachineStore`), for any number of threads.

    The file is created by the first write. It is opened again in a forked process and when it was replaced.
    """

    def __init__(self, root: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = root / FILE
        self._marker = root / MARKER
        self._clock = clock
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._opened: tuple[int, int, int] | None = None

    def read_all(self, identities: Sequence[str]) -> list[MachineState]:
        """The states under these identities."""
        with self._locked() as connection:
            if connection is None:
                return []
            marks = ",".join("?" * len(identities))
            rows = connection.execute(
                f"SELECT state, revision FROM machine WHERE identity IN ({marks})",  # noqa: S608 (question marks)
                identities,
            )
            return _states(rows)

    def read(self, identity: str) -> MachineState | None:
        """The state under this identity."""
        return next(iter(self.read_all([identity])), None)

    def find(self, beginning: str) -> list[MachineState]:
        """The machines with an identity that begins so."""
        pattern = "".join(f"\\{char}" if char in "%_\\" else char for char in beginning) + "%"
        return self._selected("WHERE identity LIKE ? ESCAPE '\\'", pattern)

    def all(self) -> Iterator[MachineState]:
        """Every machine, once."""
        return iter(self._selected(""))

    def _selected(self, condition: str, *parameters: str) -> list[MachineState]:
        with self._locked() as connection:
            if connection is None:
                return []
            statement = f"SELECT state, revision FROM machine {condition} ORDER BY identity"  # noqa: S608 (constants)
            return _states(connection.execute(statement, parameters))

    def write(self, before: MachineState | None, after: MachineState) -> None:
        """Replace the state that was read, None if there was none. Raises ChangedError."""
        revision, text = new_revision(), text_of(after)
        with self._writing() as connection:
            _check(connection, before, after.identities.keys)
            rows = [(identity, revision, text) for identity in after.identities.keys]
            connection.executemany("INSERT OR REPLACE INTO machine VALUES (?, ?, ?)", rows)

    def delete(self, state: MachineState) -> None:
        """Delete the state under all its identities. Raises ChangedError."""
        with self._writing() as connection:
            _check(connection, state, state.identities.keys)
            rows = [(identity,) for identity in state.identities.keys]
            connection.executemany("DELETE FROM machine WHERE identity = ?", rows)

    def keys(self) -> Mapping[int, bytes]:
        """The keys of tokens by the times at which they were made: a new one every month, and the one before it."""
        now = int(self._clock())
        keys = self._read_keys()
        if not keys or now - max(keys) >= KEY_LIFETIME:
            with self._writing() as connection:
                # Another process may have been faster.
                keys = _keys(connection)
                if not keys or now - max(keys) >= KEY_LIFETIME:
                    connection.execute("DELETE FROM token_key WHERE made < ?", (max(keys, default=0),))
                    connection.execute("INSERT INTO token_key VALUES (?, ?)", (now, secrets.token_bytes(KEY_SIZE)))
                    keys = _keys(connection)
        return keys

    def _read_keys(self) -> dict[int, bytes]:
        with self._locked() as connection:
            return {} if connection is None else _keys(connection)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction, on disk at its end."""
        with self._locked(create=True) as connection:
            if connection is None:
                raise StoreUnavailableError(f"{self._path} is not there")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    @contextmanager
    def _locked(self, *, create: bool = False) -> Iterator[sqlite3.Connection | None]:
        """The file; None if it was never there. Raises StoreUnavailableError."""
        with self._lock:
            try:
                yield self._open(create=create)
            except (sqlite3.Error, OSError) as error:
                self._close()
                raise StoreUnavailableError(f"{self._path}: {_reason(error)}") from error
            except DamagedRecordError as error:
                raise StoreUnavailableError(f"{self._path}: {error}") from error

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
        else:
            identity = (found.st_dev, found.st_ino, os.getpid())
            if self._connection is not None and self._opened == identity:
                return self._connection
            self._close()
        self._connection = _connected(self._path)
        self._marker.touch()
        found = self._path.stat()
        self._opened = (found.st_dev, found.st_ino, os.getpid())
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


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise sqlite3.OperationalError("this file system cannot share it between processes (a network's?)")
        connection.execute("PRAGMA synchronous = FULL")
        _migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _migrate(connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(_MIGRATIONS):
        raise sqlite3.DatabaseError("it was written by a newer release")
    if version == len(_MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for statements in _MIGRATIONS[version:]:
        for statement in statements.split(";"):
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {len(_MIGRATIONS)}")
    connection.execute("COMMIT")


def _check(connection: sqlite3.Connection, before: MachineState | None, identities: Sequence[str]) -> None:
    """Raise ChangedError unless these identities have what was read."""
    known = () if before is None else before.identities.keys
    for identity in {*known, *identities}:
        row = connection.execute("SELECT revision FROM machine WHERE identity = ?", (identity,)).fetchone()
        expected = before.revision if before is not None and identity in known else None
        if (row[0] if row else None) != expected:
            raise ChangedError


def _keys(connection: sqlite3.Connection) -> dict[int, bytes]:
    return dict(connection.execute("SELECT made, key FROM token_key"))


def _states(rows: sqlite3.Cursor) -> list[MachineState]:
    return list(dict.fromkeys(state_in(text, revision) for text, revision in rows))


def _reason(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
