"""Watches show each event of a history once."""

from collections.abc import Collection, Mapping

import pytest

from lambda_matchbox.machines.events import Event
from lambda_matchbox.machines.history_stores import History, HistoryStore, Wanted, Watch
from tests.contract.histories import MAC, START, UUID, event, mac
from tests.support.memory_history import MemoryHistory


def test_a_watch_shows_each_event_once_also_late_ones(history: History) -> None:
    history.add([event(1000, mac=MAC), event(1000, mac=mac(2), state="waiting")])
    watch = Watch(history, Wanted(since=START + 2000))

    def polled() -> list[Event]:
        return [each for _, each in watch.poll(START + 6000)]

    assert [] == polled()
    first, late = event(5000, mac=MAC, uuid=UUID), event(4000, route="/generic", uuid=UUID)
    history.add([first])
    assert [first] == polled()
    assert [] == polled()
    history.add([late, first])
    assert [late] == polled()
    waiting = event(5500, mac=mac(2), state="waiting")
    history.add([waiting])
    assert [waiting] == [each for _, each in Watch(history, Wanted("waiting", since=START)).poll(START + 6000)][1:]
    assert [waiting] == polled()


@pytest.mark.parametrize("ahead", [0, 290_000])
def test_a_watch_shows_events_that_were_written_at_a_third_attempt_or_come_from_another_clock(ahead: int) -> None:
    history = History(MemoryHistory())
    watch = Watch(history, Wanted(since=START + ahead))
    history.add([event(ahead + 1, mac=MAC)])
    # Lambda waits for one minute, and then for two, where the clocks agree.
    assert [event(ahead + 1, mac=MAC)] == [each for _, each in watch.poll(START + (2 * ahead or 185_000))]


def test_a_watch_of_a_state_shows_no_event_again_when_a_machine_returns_to_it(history: History) -> None:
    watch = Watch(history, Wanted("waiting", since=START))
    found = []
    for time, state in enumerate(("waiting", "ready", "waiting")):
        history.add([event(time, mac=MAC, state=state)])
        found.append([each.time - START for _, each in watch.poll(START + 10)])
    assert [[0], [], [1, 2]] == found


def test_a_watch_misses_no_event_that_is_written_while_it_looks(
    history: History, history_store: HistoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch, write = Watch(history, Wanted(since=START)), history_store.merge_events
    found: list[Event] = []

    def looked() -> None:
        found.extend(each for _, each in watch.poll(START + 2))

    def written(events: Mapping[tuple[str, int], Collection[Event]]) -> None:
        looked()
        write(events)

    monkeypatch.setattr(history_store, "merge_events", written)
    history.add([event(1, mac=MAC)])
    looked()
    assert [event(1, mac=MAC)] == found


def test_a_watch_shows_no_event_again_when_a_machine_says_its_mac_address(history: History) -> None:
    watch = Watch(history, Wanted(since=START))
    events = [event(1, uuid=UUID), event(3, mac=MAC, uuid=UUID), event(5, uuid=UUID)]
    for each in events:
        history.add([each])
        assert [each] == [come for _, come in watch.poll(each.time)]
