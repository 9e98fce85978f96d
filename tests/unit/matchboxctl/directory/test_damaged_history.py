"""history.sqlite: what befalls the file, and what is begun anew."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.machines.history_stores import History
from matchboxctl.directory.history_file import FILE, DirectoryHistory
from tests.unit.matchboxctl.directory.histories import MAC, event, times


def run(root: Path, statement: str) -> None:
    with closing(sqlite3.connect(root / FILE)) as connection, connection:
        connection.execute(statement)


@pytest.mark.parametrize("damage", ["no database " * 1000, None])
def test_a_damaged_file_is_set_aside(store: DirectoryHistory, tmp_path: Path, damage: str | None) -> None:
    History(store).add(
        [event(number, f"52:54:00:00:{number // 256:02x}:{number % 256:02x}") for number in range(1, 400)]
    )
    store.close()
    content = (tmp_path / FILE).read_bytes()
    damaged = damage.encode() if damage else content[:4096] + b"\xff" * (len(content) - 4096)
    (tmp_path / FILE).write_bytes(damaged)
    with pytest.raises(StoreUnavailableError, match=r"history.sqlite is damaged: `serve` sets it aside"):
        times(store)
    with pytest.raises(StoreUnavailableError, match="was damaged, and a new history has begun; the old one is history"):
        History(store).add([event(1)])
    History(store).add([event(1)])
    assert [1] == times(store)
    (aside,) = tmp_path.glob(f"{FILE}.damaged-????????T??????Z")
    assert damaged == aside.read_bytes()


@pytest.mark.parametrize("text", ["'{'", "'{}'", "'[]'", "CAST(x'ff' AS TEXT)"])
def test_a_damaged_record_is_a_damage_of_the_file(store: DirectoryHistory, tmp_path: Path, text: str) -> None:
    """It would fail every batch that has its machine."""
    History(store).add([event(1)])
    run(tmp_path, f"UPDATE machine SET record = {text}")
    with pytest.raises(StoreUnavailableError, match="was damaged, and a new history has begun"):
        History(store).add([event(2)])
    History(store).add([event(2)])
    assert [2] == times(store)


@pytest.mark.parametrize(
    "text", ['{"x', "[]", '{"time": 1, "mac": []}', '{"time": 2, "kind": 1}', '{"time": 1, "mac": "\\ud800"}']
)
def test_a_damaged_event_is_left_out(store: DirectoryHistory, tmp_path: Path, text: str) -> None:
    History(store).add([event(1), event(2)])
    run(tmp_path, f"UPDATE event SET event = '{text}' WHERE time = 1")
    assert [2] == times(store)


def test_another_process_that_finds_the_damage_later_uses_the_new_file(store: DirectoryHistory, tmp_path: Path) -> None:
    History(store).add([event(1)])
    with closing(DirectoryHistory(tmp_path)) as other:
        assert [1] == times(other)
        (tmp_path / FILE).write_bytes(b"no database " * 1000)
        for file in (f"{FILE}-wal", f"{FILE}-shm"):
            (tmp_path / file).unlink()
        store.close()
        with pytest.raises(StoreUnavailableError):
            History(store).add([event(2)])
        History(store).add([event(3)])
        History(other).add([event(4)])
        assert [3, 4] == times(other) == times(store)
    assert 1 == len([*tmp_path.glob(f"{FILE}.damaged-*Z")])


def test_a_file_of_a_newer_release_is_left_alone(store: DirectoryHistory, tmp_path: Path) -> None:
    History(store).add([event(1)])
    run(tmp_path, "PRAGMA user_version = 99")
    with pytest.raises(StoreUnavailableError, match="it was written by a newer release: install that one"):
        History(store).add([event(2)])


def test_a_deleted_file_is_a_new_beginning(store: DirectoryHistory, tmp_path: Path) -> None:
    History(store).add([event(1)])
    for file in tmp_path.iterdir():
        file.unlink()
    History(store).add([event(2)])
    assert [2] == times(store)


def test_a_transaction_that_fails_writes_nothing(store: DirectoryHistory, tmp_path: Path) -> None:
    History(store).add([event(1)])
    run(tmp_path, "CREATE TRIGGER refusal BEFORE INSERT ON event BEGIN SELECT RAISE(ABORT, 'no'); END")
    with pytest.raises(StoreUnavailableError):
        History(store).add([event(2)])
    record = History(store).machine(f"mac:{MAC}")
    assert record is not None
    assert 1 == record.last_seen
