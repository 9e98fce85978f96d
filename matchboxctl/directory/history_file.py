"""The history of machines in `history.sqlite` of a data directory, which `serve` and commands share.

A killed process leaves it readable (WAL). What a failing power supply leaves may lack the last seconds.
"""

import fcntl
import json
import os
import sqlite3
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.machines.events import Event, event_of
from lambda_matchbox.machines.history import HOUR, HOUR_EVENTS, Record, merge, merged_events, record_in, text_of
from lambda_matchbox.machines.history_stores import Wanted, position, time_text
from matchboxctl.directory import sqlite_file

FILE = "history.sqlite"

_BUSY_SECONDS = 2.0
_READ_AT_ONCE = 500
_REMOVED_AT_ONCE = 500
_BOUNDED_EVERY = 8
_MOST_BYTES = 2**30
_ALL = 2**62
_DAMAGES = ("CORRUPT", "NOTADB")
# `place` is a record's in lists, NULL if it is a part of others.
_MIGRATIONS = (
    """
    CREATE TABLE machine (
        key TEXT PRIMARY KEY, revision INTEGER NOT NULL, last_event INTEGER NOT NULL, place TEXT, state TEXT NOT NULL,
        machine_group TEXT NOT NULL, record TEXT NOT NULL
    );
    CREATE INDEX machine_age ON machine (last_event);
    CREATE INDEX machine_place ON machine (place);
    CREATE INDEX machine_of_state ON machine (state, place);
    CREATE INDEX machine_of_group ON machine (machine_group, place);
    CREATE INDEX machine_of_both ON machine (state, machine_group, place);
    CREATE TABLE event (
        key TEXT NOT NULL, time INTEGER NOT NULL, event TEXT NOT NULL, PRIMARY KEY (key, time, event)
    ) WITHOUT ROWID;
    CREATE INDEX event_age ON event (time);
    """,
)

_BOUNDING = """
    DELETE FROM event WHERE key = ?1 AND time >= ?2 AND time < ?3 AND (time, event) <= (
        SELECT time, event FROM event WHERE key = ?1 AND time >= ?2 AND time < ?3 ORDER BY time DESC, event DESC
        LIMIT 1 OFFSET ?4
    )
"""


class _DamagedError(OSError):
    """A text of the file is no record."""


class DirectoryHistory:
    """The store (see `machines.history_stores.HistoryStore`), for one thread. It is created by the first write.

    What is older than so many seconds may be removed, and the oldest once the file has a gigabyte: whoever makes up
    machines must not fill the disk.
    """

    def __init__(self, root: Path, lifetime: int = 0, busy_seconds: float = _BUSY_SECONDS) -> None:
        self._path = root / FILE
        self._lifetime = lifetime
        self._seconds = busy_seconds
        self._connection: sqlite3.Connection | None = None
        self._opened: tuple[int, int] | None = None

    @contextmanager
    def together(self) -> Iterator[sqlite3.Connection]:
        """A transaction. A damaged file is set aside, and the next one begins anew."""
        with self._using(create=True) as connection:
            if connection.in_transaction:
                yield connection
                return
            with sqlite_file.transaction(connection):
                yield connection

    def merge_records(self, records: Mapping[str, Record]) -> Mapping[str, Record]:
        """Merge each with the stored one."""
        with self.together() as connection:
            found = _records(connection, records)
            stored = {key: found.get(key, Record()) for key in records}
            merged = {key: merge(stored[key], record) for key, record in records.items()}
            # Also if only an older event is new: watches look for it.
            changed = [key for key, record in records.items() if record.newest or merged[key] != stored[key]]
            rows = [_row(key, merged[key]) for key in changed]
            connection.executemany("INSERT OR REPLACE INTO machine VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        return merged

    def merge_events(self, events: Mapping[tuple[str, int], Collection[Event]]) -> None:
        """Add the events of a key and an hour."""
        # A script is under its machine and its address.
        texts = {event: event.text for some in events.values() for event in some}
        rows = [(key, event.time, texts[event]) for (key, _), some in events.items() for event in some]
        with self.together() as connection:
            connection.executemany("INSERT OR IGNORE INTO event VALUES (?, ?, ?)", rows)
            for (key, hour), some in events.items():
                # Now and then is enough: readers take the newest.
                if any(event.time % _BOUNDED_EVERY == 0 for event in some):
                    connection.execute(_BOUNDING, (key, hour * HOUR, (hour + 1) * HOUR, HOUR_EVENTS))

    def records(self, keys: Collection[str]) -> Mapping[str, Record]:
        """The records of those that have one."""
        with self._reading() as connection:
            return {} if connection is None else _records(connection, keys)

    def keys(self, beginnings: Collection[str], limit: int) -> Sequence[str]:
        """Identities of machines that begin so."""
        found: list[str] = []
        with self._reading() as connection:
            if connection is None:
                return found
            for beginning in beginnings:
                # No character of an identity is greater.
                values = (beginning, beginning + chr(sys.maxunicode), limit - len(found))
                statement = "SELECT key FROM machine WHERE key >= ? AND key < ? ORDER BY key LIMIT ?"
                found += [key for (key,) in connection.execute(statement, values)]
        return found

    def events(self, keys: Collection[str], since_hour: int) -> Mapping[str, Mapping[int, Sequence[Event]]]:
        """The events of each key by their hour, since that one."""
        found: dict[str, dict[int, list[Event]]] = {key: {} for key in keys}
        statement = "SELECT event FROM event WHERE key = ? AND time >= ? ORDER BY time, event"
        with self._reading() as connection:
            if connection is None:
                return found
            for key in keys:
                for (text,) in connection.execute(statement, (key, since_hour * HOUR)):
                    # A damaged one is one less.
                    with suppress(AttributeError, ValueError):
                        event = event_of(json.loads(text))
                        # No output takes a lone surrogate.
                        event.text.encode()
                        found[key].setdefault(event.time // HOUR, []).append(event)
        return {key: {hour: merged_events(some, ()) for hour, some in each.items()} for key, each in found.items()}

    def page(self, wanted: Wanted, limit: int, before: str) -> Sequence[Record]:
        """The first records whose position is before that one."""
        conditions, values = ["place >= ?"], [time_text(wanted.since)]
        for condition, value in (
            ("state = ?", wanted.state or None),
            ("machine_group = ?", wanted.group),
            ("place < ?", before or None),
        ):
            if value is not None:
                conditions.append(condition)
                values.append(value)
        where = " AND ".join(conditions)
        statement = f"SELECT record, revision FROM machine WHERE {where} ORDER BY place DESC LIMIT {limit:d}"  # noqa: S608
        with self._reading() as connection:
            return [] if connection is None else [_record(*row) for row in connection.execute(statement, values)]

    def states(self) -> Mapping[str, int]:
        """How many machines each state has."""
        statement = "SELECT state, COUNT(*) FROM machine WHERE place IS NOT NULL GROUP BY state"
        with self._reading() as connection:
            return {} if connection is None else dict(connection.execute(statement).fetchall())

    def remove(self, keys: Collection[str]) -> None:
        """Remove the records and the events of these keys."""
        with self.together() as connection:
            rows = [(key,) for key in keys]
            connection.executemany("DELETE FROM machine WHERE key = ?", rows)
            connection.executemany("DELETE FROM event WHERE key = ?", rows)

    def remove_old(self, now: int) -> bool:
        """Remove some of what is too old."""
        if not self._path.exists():
            return False
        more = False
        before = _ALL if self._is_large() else now - self._lifetime * 1000
        for table, column, key in (("machine", "last_event", "key"), ("event", "time", "key, time, event")):
            statement = (
                f"DELETE FROM {table} WHERE ({key}) IN "  # noqa: S608
                f"(SELECT {key} FROM {table} WHERE {column} < ? ORDER BY {column} LIMIT ?)"
            )
            with self.together() as connection:
                more |= connection.execute(statement, (before, _REMOVED_AT_ONCE)).rowcount == _REMOVED_AT_ONCE
        return more

    def _is_large(self) -> bool:
        with self._using() as connection:
            (pages, unused, size) = (
                connection.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("page_count", "freelist_count", "page_size")
            )
        return bool((pages - unused) * size > _MOST_BYTES)

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()
        self._connection = self._opened = None

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection | None]:
        """A connection; None if the file was never there. Raises StoreUnavailableError."""
        if self._path.exists():
            with self._using() as connection:
                yield connection
        else:
            yield None

    @contextmanager
    def _using(self, *, create: bool = False) -> Iterator[sqlite3.Connection]:
        """The connection. Raises StoreUnavailableError."""
        try:
            yield self._open(create=create)
        except (sqlite3.Error, OSError) as error:
            opened = self._opened
            self.close()
            if _is_damage(error):
                raise StoreUnavailableError(self._set_aside(opened, create=create)) from error
            raise StoreUnavailableError(f"{self._path}: {sqlite_file.reason(error, self._path)}") from error

    def _open(self, *, create: bool) -> sqlite3.Connection:
        if self._connection is not None and self._connection.in_transaction:
            return self._connection
        if create and not self._path.exists():
            sqlite_file.create(self._path)
        found = self._path.stat()
        identity = (found.st_dev, found.st_ino)
        if self._connection is None or self._opened != identity:
            self.close()
            self._opened = identity
            self._connection = sqlite_file.connect(self._path, self._seconds, "NORMAL")
        sqlite_file.migrate(self._connection, _MIGRATIONS)
        return self._connection

    def _set_aside(self, opened: tuple[int, int] | None, *, create: bool) -> str:
        """Rename a damaged file unless another process has, and say so."""
        if not create:
            return f"{self._path} is damaged: `serve` sets it aside and begins a new one"
        aside = self._path.with_name(f"{FILE}.damaged-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}")
        with suppress(OSError), self._path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            found = self._path.stat()
            if (
                opened
                == (found.st_dev, found.st_ino)
                == (os.fstat(file.fileno()).st_dev, os.fstat(file.fileno()).st_ino)
            ):
                for ending in ("-wal", "-shm"):
                    # Of another file, they would damage that one.
                    with suppress(FileNotFoundError):
                        self._path.with_name(FILE + ending).replace(aside.with_name(aside.name + ending))
                self._path.replace(aside)
        return f"{self._path} was damaged, and a new history has begun; the old one is {aside.name}"


def _record(text: str, revision: int) -> Record:
    try:
        return record_in(text, revision)
    except ValueError as error:
        raise _DamagedError from error


def _is_damage(error: Exception) -> bool:
    # Texts that are not UTF-8 are found by Python, which gives no code of SQLite.
    codes = (*_DAMAGES, "") if isinstance(error, sqlite3.OperationalError) else _DAMAGES
    return isinstance(error, _DamagedError) or (isinstance(error, sqlite3.Error) and sqlite_file.code(error) in codes)


def _records(connection: sqlite3.Connection, keys: Collection[str]) -> dict[str, Record]:
    found = {}
    each = iter(keys)
    while some := list(islice(each, _READ_AT_ONCE)):
        marks = ",".join("?" * len(some))
        statement = f"SELECT key, record, revision FROM machine WHERE key IN ({marks})"  # noqa: S608 (question marks)
        for key, text, revision in connection.execute(statement, some):
            found[key] = _record(text, revision)
    return found


def _row(key: str, record: Record) -> tuple[object, ...]:
    """The next revision of a record."""
    place = None if record.links else position(record)
    return key, record.revision + 1, record.last_event, place, record.state, record.fact("group"), text_of(record)
