"""history.sqlite: its bounds, its indexes, and who shares it."""

import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.machines.events import Event
from lambda_matchbox.machines.history import HOUR, HOUR_EVENTS
from lambda_matchbox.machines.history_stores import History, Wanted
from matchboxctl.directory import history_file
from matchboxctl.directory.history_file import FILE, DirectoryHistory
from tests.unit.matchboxctl.directory.histories import MAC, event, times

EVERY = Wanted()
WRITER = """
import sys
from pathlib import Path
from lambda_matchbox.machines.events import Event
from lambda_matchbox.machines.history_stores import History
from matchboxctl.directory import history_file
from matchboxctl.directory.history_file import DirectoryHistory

history, machine, count = History(DirectoryHistory(Path(sys.argv[1]))), sys.argv[2], int(sys.argv[3])
for number in range(1, count + 1):
    history.add([Event(number, "request", "/ipxe", machine), Event(number, "request", "/ipxe", "52:54:00:ff:ff:ff")])
    print(number, flush=True)
"""


def writer(root: Path, mac: str, count: int) -> "subprocess.Popen[str]":
    """A process that writes events of this machine and of one that all processes write."""
    command = [sys.executable, "-c", WRITER, str(root), mac, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_reading_creates_no_file(store: DirectoryHistory, tmp_path: Path) -> None:
    assert ((), "") == History(store).page(Wanted(), 10)
    assert not store.remove_old(HOUR)
    assert [] == list(tmp_path.iterdir())


def test_only_the_owner_of_the_directory_can_read_the_file(store: DirectoryHistory, tmp_path: Path) -> None:
    History(store).add([event(1)])
    assert {0o600} == {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}


def fill(store: DirectoryHistory) -> None:
    """701 machines, each with an event of its own time."""
    History(store).add(event(number, f"52:54:00:00:{number // 256:02x}:{number % 256:02x}") for number in range(1, 701))
    History(store).add([event(1000)])


def ids(store: DirectoryHistory, wanted: Wanted = EVERY, limit: int = 1000) -> list[str]:
    return [each.fact("mac") for each in History(store).page(wanted, limit).records]


def test_what_is_old_is_removed_some_at_a_time(tmp_path: Path) -> None:
    with closing(DirectoryHistory(tmp_path, lifetime=60)) as store:
        fill(store)
        assert [True, False, False] == [store.remove_old(61_000) for _ in range(3)]
        assert [MAC] == ids(store)
        assert [] == times(store, "52:54:00:00:00:01")
        assert [1000] == times(store)


def test_the_oldest_is_removed_from_a_large_file(store: DirectoryHistory, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(store)
    monkeypatch.setattr(history_file, "_MOST_BYTES", 1)
    monkeypatch.setattr(history_file, "_REMOVED_AT_ONCE", 300)
    assert store.remove_old(1001)
    newest = [MAC, *(f"52:54:00:00:{number // 256:02x}:{number % 256:02x}" for number in range(700, 300, -1))]
    assert newest == ids(store)
    monkeypatch.setattr(history_file, "_MOST_BYTES", 2**30)
    assert not store.remove_old(0)
    assert newest == ids(store)


def test_a_machines_hour_is_bounded_in_the_file(store: DirectoryHistory, tmp_path: Path) -> None:
    for start in range(0, 1000, 50):
        History(store).add(event(time) for time in range(start, start + 50))
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        ((rows,),) = connection.execute("SELECT count(*) FROM event WHERE key = ?", (f"mac:{MAC}",))
    assert HOUR_EVENTS <= rows <= HOUR_EVENTS + 50
    assert [*range(1000 - HOUR_EVENTS, 1000)] == times(store)


def test_a_full_disk_is_named(store: DirectoryHistory) -> None:
    History(store).add([event(1)])
    assert store._connection is not None
    store._connection.execute("PRAGMA max_page_count = 1")
    with pytest.raises(StoreUnavailableError, match=r"history\.sqlite: the disk is full"):
        fill(store)
    assert [1] == times(store)


@pytest.mark.parametrize(
    "wanted",
    [EVERY, Wanted(since=1), Wanted("waiting"), Wanted(group="g"), Wanted("waiting", "g", 1)],
    ids=str,
)
@pytest.mark.parametrize("before", ["", "00000000000500 "])
def test_a_page_is_a_range_of_an_index(
    store: DirectoryHistory, monkeypatch: pytest.MonkeyPatch, wanted: Wanted, before: str
) -> None:
    """So the thousandth one takes as long as the first, however many machines there are."""
    History(store).add([event(1)])
    statements: list[str] = []
    assert store._connection is not None
    store._connection.set_trace_callback(statements.append)
    store.page(wanted, 50, before)
    store._connection.set_trace_callback(None)
    (statement,) = (each for each in statements if each.startswith("SELECT"))
    ((*_, plan),) = store._connection.execute(f"EXPLAIN QUERY PLAN {statement}")
    assert plan.startswith("SEARCH machine USING INDEX machine_")
    conditions = plan.partition("(")[2]
    assert ("state=?" in conditions, "machine_group=?" in conditions) == (bool(wanted.state), wanted.group is not None)
    assert "place>?" in conditions
    assert ("place<?" in conditions) == bool(before)


def test_states_are_counted_in_an_index(store: DirectoryHistory) -> None:
    """Not in the records; a part of another machine is none."""
    assert {} == store.states()
    waiting = Event(1, "request", "/ipxe", MAC, uuid="4c4c4544-0038-4410-8052-b3c04f4b5931", state="waiting")
    History(store).add([waiting, Event(2, "request", "/ipxe", "52:54:00:00:00:02")])
    statements: list[str] = []
    assert store._connection is not None
    store._connection.set_trace_callback(statements.append)
    assert {"waiting": 1, "unknown": 1} == store.states()
    store._connection.set_trace_callback(None)
    (statement,) = (each for each in statements if each.startswith("SELECT state"))
    ((*_, plan),) = store._connection.execute(f"EXPLAIN QUERY PLAN {statement}")
    assert "USING COVERING INDEX machine_of_" in plan


EVENTS = st.builds(
    Event,
    time=st.integers(0, 2 * HOUR),
    kind=st.just("request"),
    what=st.sampled_from(["/ipxe", "/ignition"]),
    mac=st.sampled_from(["", MAC, "52:54:00:00:00:01"]),
    uuid=st.just("4c4c4544-0038-4410-8052-b3c04f4b5931"),
    serial=st.sampled_from(["", "S1"]),
    hostname=st.sampled_from(["", "ü", '"']),
)


@settings(max_examples=10)
@given(st.lists(EVENTS, min_size=1, max_size=8), st.data())
def test_order_duplicates_and_batches_change_nothing_in_the_file(events: list[Event], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(events + events[: len(events) // 2]))
    size = data.draw(st.integers(1, 4))
    batches = [shuffled[start : start + size] for start in range(0, len(shuffled), size)]
    with TemporaryDirectory() as name:
        contents = []
        for directory, some in (("at once", [events]), ("in batches", batches)):
            root = Path(name, directory)
            root.mkdir()
            with closing(DirectoryHistory(root)) as store:
                for batch in some:
                    History(store).add(batch)
            rows = []
            with closing(sqlite3.connect(root / FILE)) as connection:
                rows += connection.execute("SELECT key, place, state, machine_group FROM machine ORDER BY key")
                rows += connection.execute("SELECT key, time, event FROM event")
                texts = [*connection.execute("SELECT record FROM machine ORDER BY key")]
            contents.append((rows, [json.loads(text) for (text,) in texts]))
    assert contents[0] == contents[1]


@pytest.mark.system
def test_processes_share_the_file(store: DirectoryHistory, tmp_path: Path) -> None:
    macs = ["52:54:00:00:00:01", "52:54:00:00:00:02"]
    processes = [writer(tmp_path, mac, 40) for mac in macs]
    for process in processes:
        with process:
            assert "40" in process.communicate()[0].split()
        assert 0 == process.returncode
    for mac in (*macs, "52:54:00:ff:ff:ff"):
        assert [*range(1, 41)] == times(store, mac)


@pytest.mark.system
def test_a_killed_process_leaves_what_it_has_written(store: DirectoryHistory, tmp_path: Path) -> None:
    with writer(tmp_path, MAC, 1_000_000) as process:
        assert process.stdout is not None
        written = [int(process.stdout.readline()) for _ in range(30)]
        os.kill(process.pid, signal.SIGKILL)
    assert written == times(store)[:30]
    History(store).add([event(9_000_000)])
    assert 9_000_000 == times(store)[-1]


def test_a_writer_waits_for_another_that_creates_the_file(tmp_path: Path) -> None:
    """SQLite itself does not wait for it."""
    (tmp_path / FILE).touch()
    other = sqlite3.connect(tmp_path / FILE, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    end = Timer(0.2, lambda: other.execute("COMMIT"))
    with closing(other), closing(DirectoryHistory(tmp_path)) as store:
        end.start()
        History(store).add([event(1, mac=MAC)])
        end.join()
        assert [MAC] == [record.fact("mac") for record in History(store).page(EVERY, 10).records]
