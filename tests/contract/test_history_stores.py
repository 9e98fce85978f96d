"""Histories of machines, in every store."""

import pytest

from lambda_matchbox.machines.events import command_event
from lambda_matchbox.machines.history import HOUR, HOUR_EVENTS
from lambda_matchbox.machines.history_stores import CursorError, History, HistoryStore, Wanted
from lambda_matchbox.machines.identities import Identities
from tests.contract.histories import MAC, START, UUID, event, mac


def ids(history: History, wanted: Wanted, limit: int = 10) -> list[str]:
    return [record.identities.keys[0] for record in history.page(wanted, limit).records]


def test_an_empty_history_has_nothing(history: History) -> None:
    assert ((), "") == history.page(Wanted(), 10)
    assert history.machine(f"mac:{MAC}") is None
    history.add([])
    assert ((), "") == history.page(Wanted(), 10)


def test_a_machine_is_found_by_each_identity(history: History) -> None:
    events = [event(5, mac=MAC, uuid=UUID, serial="S1", group="g"), event(9, route="/ignition", uuid=UUID)]
    history.add(events)
    record = history.machine(f"mac:{MAC}")
    assert record is not None
    assert (Identities(MAC, UUID, "S1"), "g", events[1]) == (record.identities, record.fact("group"), record.newest)
    for key in record.identities.keys:
        assert record == history.machine(key)
    assert events == history.events(record, 0)
    assert events[1:] == history.events(record, START + 6)
    assert [f"mac:{MAC}"] == ids(history, Wanted())


def test_events_that_come_late_or_twice_change_nothing(history: History) -> None:
    events = [event(time, mac=MAC, uuid=UUID, hostname=f"n{time}") for time in range(5)]
    for batch in (events[3:], events[:1], events[1:4], events):
        history.add(batch)
    record = history.machine(f"uuid:{UUID}")
    assert record is not None
    assert (START, START + 4, "n4") == (record.first_seen, record.last_seen, record.fact("hostname"))
    assert events == history.events(record, 0)


def test_the_newest_events_of_an_hour_are_kept(history: History) -> None:
    events = [event(time, mac=MAC) for time in range(HOUR_EVENTS + 20)]
    history.add([event(HOUR, mac=MAC)])
    for start in range(0, len(events), 30):
        history.add(events[start : start + 30])
    record = history.machine(f"mac:{MAC}")
    assert record is not None
    assert [*events[20:], event(HOUR, mac=MAC)] == history.events(record, 0)


def test_lists_have_the_last_event_first_and_are_filtered(history: History) -> None:
    history.add(
        [
            event(1000, mac=mac(1), group="a", state="waiting"),
            event(2000, mac=mac(2), group="b", state="waiting"),
            event(3000, mac=mac(3), group="a", state="ready"),
            event(4000, mac=mac(4), group="", profile="", status=404),
            command_event(START + 5000, "approve", Identities(mac(1)), "ready", "alice"),
        ]
    )
    assert [f"mac:{mac(number)}" for number in (1, 4, 3, 2)] == ids(history, Wanted())
    assert [f"mac:{mac(number)}" for number in (1, 3)] == ids(history, Wanted("ready"))
    assert [f"mac:{mac(number)}" for number in (1, 3)] == ids(history, Wanted(group="a"))
    assert [f"mac:{mac(2)}"] == ids(history, Wanted("waiting", "b"))
    assert [] == ids(history, Wanted("waiting", "a"))
    assert [f"mac:{mac(4)}"] == ids(history, Wanted(group=""))
    assert [f"mac:{mac(4)}"] == ids(history, Wanted("unknown"))
    assert [f"mac:{mac(number)}" for number in (1, 4)] == ids(history, Wanted(since=START + 3001))
    assert [f"mac:{mac(1)}"] == ids(history, Wanted("ready", "a", START + 3001))


def test_a_machine_without_a_state_is_ready_in_a_group_and_unknown_in_none(history: History) -> None:
    def machines(state: str, group: str | None = None) -> list[str]:
        return [key.removeprefix("mac:") for key in ids(history, Wanted(state, group))]

    for number, facts in enumerate(({"state": "unknown"}, {"state": "later"}, {"state": "waiting"}, {})):
        history.add([event(number, mac=mac(number), group="g", **facts), event(number, mac=mac(4 + number), **facts)])
    history.add([event(9, mac=mac(8), status=404), event(10, mac=mac(9), status=404)])
    history.add([event(11, mac=mac(9), group="g")])
    assert [mac(number) for number in (9, 3, 1, 0)] == machines("ready") == machines("ready", "g")
    assert [mac(number) for number in (8, 7, 5, 4)] == machines("unknown") == machines("unknown", "")
    assert [] == machines("unknown", "g") == machines("ready", "")


@pytest.mark.parametrize("wanted", [Wanted(), Wanted("waiting"), Wanted(group="g"), Wanted("waiting", "g", START)])
def test_pages_together_have_every_machine_once(history: History, wanted: Wanted) -> None:
    # Some at one moment.
    history.add([event(number // 3, mac=mac(number), group="g", state="waiting") for number in range(11)])
    found, cursor = [], ""
    for size in (3, 3, 3, 2):
        page = history.page(wanted, 3, cursor)
        assert size == len(page.records)
        found += [record.fact("mac") for record in page.records]
        cursor = page.cursor
    assert "" == cursor
    assert [mac(number) for number in range(11)] == sorted(found)
    assert [3, 2, 1, 0] == list(dict.fromkeys(int(each[-2:], 16) // 3 for each in found))


@pytest.mark.parametrize("cursor", ["x", "!", "é", "MTIz"])
def test_a_cursor_that_no_page_had_is_refused(history: History, cursor: str) -> None:
    with pytest.raises(CursorError, match="use one that a list has printed"):
        history.page(Wanted(), 1, cursor)


def test_a_forgotten_machine_has_no_history(history: History, history_store: HistoryStore) -> None:
    own = event(1, mac=MAC, uuid=UUID, client="10.0.0.7")
    other = event(2, mac=mac(2))
    asset = event(3, route="/assets/", path="/assets/k", client="10.0.0.7")
    history.add([own, other, asset, event(4, route="/generic", uuid=UUID)])
    assert history.forget([f"mac:{MAC}"])
    assert not history.forget([f"mac:{MAC}"])
    assert [f"mac:{mac(2)}"] == ids(history, Wanted())
    keys = [*own.identities.keys, "address:10.0.0.7"]
    assert {} == history_store.records(keys)
    assert {key: {} for key in keys} == history_store.events(keys, 0)
    assert history.machine(f"uuid:{UUID}") is None


def test_a_machine_is_forgotten_at_its_address_after_its_hour_has_lost_its_script(
    history: History, history_store: HistoryStore
) -> None:
    """An installer that asks again and again for a configuration is enough."""
    script = event(0, mac=MAC, uuid=UUID)
    history.add([script, event(1, route="/assets/", path="/assets/k")])
    history.add([event(time, route="/generic", mac=MAC, uuid=UUID, status=503) for time in range(2, 2 + HOUR_EVENTS)])
    assert script not in history_store.events([f"mac:{MAC}"], 0)[f"mac:{MAC}"][START // HOUR]
    assert history.forget([f"mac:{MAC}"])
    assert {"address:10.0.0.1": {}} == history_store.events(["address:10.0.0.1"], 0)


def test_earlier_identities_of_a_machine_are_forgotten_unless_another_one_said_them(
    history: History, history_store: HistoryStore
) -> None:
    """As after a new mainboard, and those of a stranger who named another machine's."""
    earlier, others = UUID[:-1] + "0", UUID[:-1] + "f"
    history.add(
        [
            event(1, mac=mac(2), uuid=others),
            event(2, mac=MAC, uuid=others),
            event(3, mac=MAC, uuid=earlier),
            event(4, route="/generic", uuid=earlier, hostname="n1"),
            event(5, mac=MAC, uuid=UUID),
        ]
    )
    keys = [f"mac:{MAC}", f"uuid:{earlier}", f"uuid:{UUID}"]
    assert history.forget([f"mac:{MAC}"])
    assert {} == history_store.records(keys)
    assert {key: {} for key in keys} == history_store.events(keys, 0)
    assert [f"uuid:{others}"] == list(history_store.records([f"uuid:{others}"]))


def test_assets_are_those_of_the_machine_that_got_a_script_there(history: History) -> None:
    script, other = event(HOUR - 1000, mac=MAC), event(HOUR - 900, mac=mac(2), client="10.0.0.2")
    assets = [event(HOUR + time, route="/assets/", path=f"/assets/{time}") for time in (1, 900_000)]
    history.add(assets)
    history.add([script, other])
    record, second = history.machine(f"mac:{MAC}"), history.machine(f"mac:{mac(2)}")
    assert record is not None
    assert second is not None
    assert [script, assets[0]._replace(inferred=True)] == history.events(record, 0)
    assert [assets[0]._replace(inferred=True)] == history.events(record, START + HOUR)
    assert [other] == history.events(second, 0)


def test_identities_are_found_by_their_beginnings(history: History) -> None:
    history.add([event(1, mac=mac(1), uuid=UUID, serial='S"1'), event(2, mac=mac(2)), event(3, uuid=UUID[:-1] + "0")])

    def found(*beginnings: str, limit: int = 9) -> list[str]:
        return sorted(history.keys(beginnings, limit))

    assert [f"mac:{mac(1)}", f"mac:{mac(2)}"] == found("mac:52:54", "uuid:52:54", "serial:52:54")
    assert [f"uuid:{UUID[:-1]}0", f"uuid:{UUID}"] == found("mac:4c4c", "uuid:4c4c", "serial:4c4c")
    assert ['serial:S"1'] == found('serial:S"')
    assert [] == found("serial:52:54", "mac:53")
    assert 2 == len(found("mac:", "uuid:", "serial:", limit=2))
