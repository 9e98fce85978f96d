"""The history that `serve` writes beside its responses, and what keeps it from that."""

import io
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from lambda_matchbox.aws.table_and_bucket import create_history_table
from lambda_matchbox.http import Request
from lambda_matchbox.machines.history_stores import History, Wanted
from lambda_matchbox.web.json_log import JsonLog
from matchboxctl.directory.history_file import FILE, DirectoryHistory
from matchboxctl.serve import history_writer
from matchboxctl.serve.backends import Backend, Directories, directory_backend, store_backend
from matchboxctl.serve.history_writer import HistoryWriter, RecordedLog
from matchboxctl.store.history import table_history
from matchboxctl.store.mode import StoreSettings, chosen_store
from tests.rigs.service import Service
from tests.rigs.stores import new_stores
from tests.support.serving import LIMIT, started

MONTH = 30 * 24 * 3600


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_writer, "_INTERVAL", 0.01)


def opened(root: Path, busy_seconds: float = 10.0) -> "Callable[[], closing[DirectoryHistory]]":
    return lambda: closing(DirectoryHistory(root, MONTH, busy_seconds))


def line(number: int) -> dict[str, object]:
    return {"route": "/ipxe", "method": "GET", "status": 200, "mac": f"52:54:00:00:00:{number:02x}"}


def macs(root: Path, **wanted: str) -> list[str]:
    with closing(DirectoryHistory(root)) as store:
        return sorted(record.fact("mac") for record in History(store).page(Wanted(**wanted), 1000).records)


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """Another program has a transaction open."""
    with closing(DirectoryHistory(root)) as store, store.together():
        pass
    with closing(sqlite3.connect(root / FILE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


@contextmanager
def backend_of(data: Path, log: io.StringIO, days: int) -> Iterator[Backend]:
    backend = directory_backend(Directories(data, data), JsonLog("error", log), None, history_days=days)
    with closing(backend.after_fork.__self__):  # type: ignore[attr-defined]
        yield backend


@pytest.mark.parametrize("days", [30, 0])
def test_requests_are_recorded_whatever_level_is_logged(tmp_path: Path, days: int) -> None:
    """Without days there is no history."""
    for kind, text in (
        ("profiles", '{"boot": {"kernel": "/assets/k"}}'),
        ("groups", '{"profile": "x", "selector": {"os": "a"}}'),
    ):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / "x.json").write_text(text)
    log = io.StringIO()
    with backend_of(tmp_path, log, days) as backend, backend.background:
        for mac, os in (("52-54-00-00-00-01", "a"), ("52-54-00-00-00-02", "b")):
            backend.app.respond(Request("GET", "/ipxe", f"mac={mac}&os={os}", {"x-forwarded-for": "10.0.0.1"}))
    assert (["52:54:00:00:00:01", "52:54:00:00:00:02"] if days else []) == macs(tmp_path)
    assert (["52:54:00:00:00:01"] if days else []) == macs(tmp_path, group="x")
    assert "" == log.getvalue()
    assert bool(days) == (tmp_path / FILE).exists()


def test_other_lines_are_no_events(tmp_path: Path) -> None:
    with HistoryWriter(opened(tmp_path), warn=pytest.fail) as writer:
        log = RecordedLog(JsonLog("info", io.StringIO()), writer.put)
        log.info("signing", extra=line(1))
        log.error("request")
        log.error("request", extra=line(2), exc_info=ValueError())
    assert ["52:54:00:00:00:02"] == macs(tmp_path)


def test_the_oldest_events_are_dropped_and_counted_while_the_file_is_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_writer, "_QUEUED", 3)
    lines: list[str] = []
    with HistoryWriter(opened(tmp_path, busy_seconds=0.01), lines.append) as writer:
        with locked(tmp_path):
            writer.put(line(0))
            # It is not in the queue any more, but tried again and again.
            until(lambda: lines and not writer._queue)
            for number in range(1, 9):
                writer.put(line(number))
        until(lambda: len(lines) > 1)
    locked_line, lost = lines
    assert locked_line.endswith(f"{FILE}: another process has locked it; boots go on")
    assert "history: 5 events lost: it could not be written in time" == lost
    assert [f"52:54:00:00:00:{number:02x}" for number in (0, 6, 7, 8)] == macs(tmp_path)


def test_a_directory_that_cannot_be_written_is_named_once(tmp_path: Path) -> None:
    lines: list[str] = []
    (tmp_path / FILE).mkdir()
    with HistoryWriter(opened(tmp_path), lines.append) as writer:
        for number in range(3):
            writer.put(line(number))
            until(lambda: lines)
    (only,) = lines
    assert only.startswith(f"history: {tmp_path / FILE}: ")


def test_long_texts_of_clients_are_not_kept_in_the_queue(tmp_path: Path) -> None:
    writer = HistoryWriter(opened(tmp_path), pytest.fail)
    writer.put(line(1) | dict.fromkeys(("path", "user_agent", "reason"), "x" * 60_000))
    ((_, queued),) = writer._queue
    assert len(str(queued)) < 2000
    with writer:
        pass
    assert ["52:54:00:00:00:01"] == macs(tmp_path)


def test_a_damaged_file_costs_a_line_and_no_new_event(tmp_path: Path) -> None:
    lines: list[str] = []
    (tmp_path / FILE).write_bytes(b"no database " * 1000)
    with HistoryWriter(opened(tmp_path), lines.append) as writer:
        writer.put(line(1))
    assert ["52:54:00:00:00:01"] == macs(tmp_path)
    (only,) = lines
    assert "was damaged, and a new history has begun" in only


def test_what_is_older_than_its_days_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = time.time_ns() - int((MONTH + 60) * 1e9)
    with monkeypatch.context() as patch, HistoryWriter(opened(tmp_path), pytest.fail) as writer:
        patch.setattr(history_writer.time, "time_ns", lambda: old)
        writer.put(line(1))
    with HistoryWriter(opened(tmp_path), pytest.fail) as writer:
        writer.put(line(2))
        until(lambda: macs(tmp_path) == ["52:54:00:00:00:02"])


def test_store_mode_has_its_history_in_a_table(moto_server: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    stores = new_stores(moto_server, moto_server)
    stores.create()
    with closing(moto_server.client("dynamodb")) as client:
        create_history_table(client, f"{stores.name}-history")
    for name, value in (stores.environment() | {"MATCHBOX_HISTORY_TABLE": f"{stores.name}-history"}).items():
        monkeypatch.setenv(name, value)
    store = chosen_store("")
    assert isinstance(store, StoreSettings)
    backend = store_backend(store, JsonLog("critical", io.StringIO()), None, history_days=30)
    with backend.background:
        backend.app.respond(Request("GET", "/ipxe", "mac=52-54-00-00-00-01", {"x-forwarded-for": "10.0.0.1"}))
    (record,) = History(table_history(store)).page(Wanted(), 10).records
    assert "52:54:00:00:00:01" == record.fact("mac")


@pytest.mark.system
def test_every_process_of_serve_records_its_requests(tmp_path: Path) -> None:
    arguments = ("--address", "127.0.0.1:0", "--data-path", str(tmp_path), "--processes", "2", "--log-level", "error")
    expected = [f"52:54:00:00:00:{number:02x}" for number in range(20)]
    with started(*arguments) as serve:
        for mac in expected[:10]:
            serve.send(f"/ipxe?mac={mac}")
        until(lambda: macs(tmp_path) == expected[:10])
        for mac in expected[10:]:
            serve.send(f"/ipxe?mac={mac}")
        serve.end()
    assert expected == macs(tmp_path)
