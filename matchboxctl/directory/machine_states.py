"""States of machines and keys of tokens in a data directory."""

import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.machines.records import DamagedRecordError, state_in, text_of
from lambda_matchbox.machines.state import MachineState
from lambda_matchbox.machines.stores import ChangedError, new_revision
from lambda_matchbox.machines.tokens import KEY_LIFETIME, KEY_SIZE
from matchboxctl.directory.state_file import FILE, StateFile


class DirectoryMachines:
    """The store over a data directory (see `machines.stores.EditableMachineStore`), for any number of threads."""

    def __init__(self, root: Path, clock: Callable[[], float] = time.time) -> None:
        self._file = StateFile(root)
        self._clock = clock

    def read_all(self, identities: Sequence[str]) -> tuple[MachineState, ...]:
        """The states under these identities, one for each that has one; they are read again after each commit."""
        wanted = tuple(identities)
        with self._file.reading() as file:
            if file is None:
                return ()
            found = file.kept.get(wanted)
            if found is None:
                marks = ",".join("?" * len(wanted))
                rows = file.connection.execute(
                    f"SELECT state, revision FROM machine WHERE identity IN ({marks})",  # noqa: S608 (question marks)
                    wanted,
                )
                found = file.kept[wanted] = tuple(_states(rows))
            return found

    def read(self, identity: str) -> MachineState | None:
        """The state under this identity."""
        return next(iter(self.read_all([identity])), None)

    def find(self, beginning: str) -> list[MachineState]:
        """The machines with an identity that begins so."""
        # LIKE would not see the case of a serial number.
        return self._selected("WHERE substr(identity, 1, length(?)) = ?", beginning, beginning)

    def all(self) -> Iterator[MachineState]:
        """Every machine, once."""
        return iter(self._selected(""))

    def _selected(self, condition: str, *parameters: str) -> list[MachineState]:
        with self._file.reading() as file:
            if file is None:
                return []
            statement = f"SELECT state, revision FROM machine {condition} ORDER BY identity"  # noqa: S608 (constants)
            return list(dict.fromkeys(_states(file.connection.execute(statement, parameters))))

    def write(self, before: MachineState | None, after: MachineState, *, revision: str = "") -> None:
        """Replace the state that was read, None if there was none. Raises ChangedError."""
        revision, text = revision or new_revision(), text_of(after)
        with self._file.writing() as connection:
            _check(connection, before, after.identities.keys)
            rows = [(identity, revision, text) for identity in after.identities.keys]
            connection.executemany("INSERT OR REPLACE INTO machine VALUES (?, ?, ?)", rows)

    def delete(self, state: MachineState) -> None:
        """Delete the state under all its identities. Raises ChangedError."""
        with self._file.writing() as connection:
            _check(connection, state, state.identities.keys)
            rows = [(identity,) for identity in state.identities.keys]
            connection.executemany("DELETE FROM machine WHERE identity = ?", rows)

    def keys(self) -> Mapping[int, bytes]:
        """The keys of tokens by the times at which they were made: a new one every month, and the one before it."""
        now = int(self._clock())
        keys = self._read_keys()
        if not keys or now - max(keys) >= KEY_LIFETIME:
            with self._file.writing() as connection:
                # Another process may have been faster.
                keys = _keys(connection)
                if not keys or now - max(keys) >= KEY_LIFETIME:
                    connection.execute("DELETE FROM token_key WHERE made < ?", (max(keys, default=0),))
                    connection.execute("INSERT INTO token_key VALUES (?, ?)", (now, secrets.token_bytes(KEY_SIZE)))
                    keys = _keys(connection)
        return keys

    def _read_keys(self) -> dict[int, bytes]:
        with self._file.reading() as file:
            return {} if file is None else _keys(file.connection)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


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
    try:
        return [state_in(text, revision) for text, revision in rows]
    except DamagedRecordError as error:
        raise StoreUnavailableError(f"{FILE}: {error}: restore it") from error
