"""Properties of machines' histories: what order, duplicates and batches may not change, and how large they get."""

import json
from collections.abc import Iterable, Sequence
from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.machines.boots import boots, inferred
from lambda_matchbox.machines.events import Event, command_event, event_in, event_of
from lambda_matchbox.machines.history import (
    HOUR,
    HOUR_BYTES,
    HOUR_EVENTS,
    Record,
    fold,
    is_full,
    merge,
    merged_events,
    record_in,
    text_of,
)
from lambda_matchbox.machines.history_stores import History, Wanted
from lambda_matchbox.machines.identities import Identities
from tests.support.memory_history import MemoryHistory

MAC, OTHER_MAC, UUID = "52:54:00:12:34:56", "52:54:00:00:00:01", "4c4c4544-0038-4410-8052-b3c04f4b5931"
NODE = Identities(MAC, UUID, "S1")
DYNAMODB_ITEM = 400_000
LARGEST_EVENT = 4_000
LONGEST = 160
TEXT_FIELDS = ("path", "user_agent", "group", "profile", "hostname", "arch", "release", "reason", "verdict", "token")

TEXTS = st.sampled_from(["", "a", "b", "ü" * 300, "\u2028", "\x00" * 300])
LINES = st.fixed_dictionaries(
    {
        "route": st.sampled_from(["/ipxe", "/ignition", "/report", "/assets/", "/ipxe.sig"]),
        "path": TEXTS,
        "status": st.sampled_from([200, 403, 404]),
        "client": st.sampled_from(["10.0.0.1", "10.0.0.2"]),
        "user_agent": TEXTS,
        "group": TEXTS,
    },
    optional={
        "mac": st.sampled_from([MAC, OTHER_MAC]),
        "uuid": st.just(UUID),
        "serial": st.sampled_from(["S1", "S2", "s" * 300]),
        "verdict": st.sampled_from(["allow", "wait", "refuse"]),
        "state": st.sampled_from(["waiting", "installed"]),
        "profile": TEXTS,
        "hostname": TEXTS,
        "release": TEXTS,
        "reason": TEXTS,
    },
)
TIMES = st.integers(1_764_000_000_000, 1_764_000_000_000 + 3 * HOUR)
COMMANDS = st.builds(
    command_event, TIMES, st.sampled_from(["approve", "accept"]), st.just(Identities(MAC)), TEXTS, TEXTS, TEXTS
)
EVENTS = st.lists(
    st.one_of(st.builds(event_in, LINES, TIMES).filter(lambda event: event is not None), COMMANDS), max_size=12
)


def line(**fields: object) -> dict[str, object]:
    return {"route": "/ipxe", "method": "GET", "status": 200, "client": "10.0.0.1", "user_agent": "iPXE", **fields}


def event(time: int, **fields: object) -> Event:
    found = event_in(line(**fields), time)
    assert found is not None
    return found


def size(events: Iterable[Event]) -> int:
    return sum(len(each.text.encode()) for each in events)


def folded(events: Sequence[Event]) -> Record:
    return reduce(fold, (each for each in events if each.identities.keys), Record())


@given(EVENTS, st.data())
def test_order_duplicates_and_batches_change_no_record(events: list[Event], data: st.DataObject) -> None:
    expected = folded(events)
    shuffled = data.draw(st.permutations(events + data.draw(st.lists(st.sampled_from(events or [Event(1, "", "")])))))
    shuffled = [each for each in shuffled if each in events]
    assert expected == folded(shuffled)
    cut = data.draw(st.integers(0, len(shuffled)))
    assert expected == merge(folded(shuffled[:cut]), folded(shuffled[cut:]))


@given(EVENTS, st.data())
def test_order_duplicates_and_batches_change_no_history(events: list[Event], data: st.DataObject) -> None:
    """Also where a machine is first known by its UUID or serial number alone."""
    at_once, in_batches = MemoryHistory(), MemoryHistory()
    History(at_once).add(events)
    shuffled = data.draw(st.permutations(events + events[: len(events) // 2]))
    while shuffled:
        size = data.draw(st.integers(1, len(shuffled)))
        History(in_batches).add(shuffled[:size])
        shuffled = shuffled[size:]
    assert at_once.contents == in_batches.contents


def test_a_machine_has_a_bounded_size_whatever_it_sends() -> None:
    for text in ("\x00ü" * 900, '"' * 5000, "\u2028" * 900):
        events = [
            event(time, mac=MAC, serial=text, **dict.fromkeys(TEXT_FIELDS, text)) for time in range(HOUR_EVENTS + 20)
        ]
        kept = merged_events((), events)
        assert (events[-len(kept) :], "") == ([*kept], kept[0].serial)
        assert HOUR_BYTES <= size(kept) < HOUR_BYTES + LARGEST_EVENT
        assert len(text_of(folded(events)).encode()) < DYNAMODB_ITEM / 10


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, LONGEST)), max_size=30), st.data())
def test_batches_of_an_hour_keep_the_same_newest_events(sizes: list[tuple[int, int]], data: st.DataObject) -> None:
    events = [event(time, mac=MAC, **dict.fromkeys(TEXT_FIELDS, "t" * length)) for time, length in sizes]
    expected = merged_events((), events)
    assert is_full(expected) == is_full({*events})
    kept: tuple[Event, ...] = ()
    shuffled = data.draw(st.permutations(events))
    while shuffled:
        number = data.draw(st.integers(1, len(shuffled)))
        kept, shuffled = merged_events(kept, shuffled[:number]), shuffled[number:]
    assert expected == kept


def test_a_command_names_its_operator_wholly() -> None:
    arn = f"arn:aws:iam::123456789012:user/{'division/' * 56}alice"
    commands = [command_event(time, "approve", NODE, "ready", arn) for time in range(HOUR_EVENTS)]
    assert arn == commands[0].by
    assert size(merged_events((), commands)) < HOUR_BYTES + LARGEST_EVENT


def test_links_of_an_identity_are_bounded() -> None:
    store = MemoryHistory()
    for number in range(50):
        History(store).add([event(number * 24 * HOUR, uuid=UUID, mac=f"52:54:00:00:00:{number:02x}")])
    (record,) = store.records([f"uuid:{UUID}"]).values()
    assert [f"mac:52:54:00:00:00:{number:02x}" for number in range(46, 50)] == [key for _, key in record.links]


@given(EVENTS)
def test_texts_keep_records_and_events(events: list[Event]) -> None:
    record = folded(events)
    assert record == record_in(text_of(record), 0)
    assert events == [event_of(json.loads(each.text) | {"newer": 1}) for each in events]


def test_a_record_has_what_its_newest_events_say() -> None:
    record = folded(
        [
            event(
                3000, mac=MAC, uuid=UUID, group="new", profile="p", release="sha256:1", hostname="n2", state="waiting"
            ),
            event(1000, mac=MAC, group="old", profile="q", arch="arm64", hostname="n1"),
            command_event(5000, "hold", Identities(MAC), "held", "alice"),
        ]
    )
    assert (1000, 3000, 5000, "hold") == (record.first_seen, record.last_seen, record.last_event, record.newest.what)  # type: ignore[union-attr]
    names = ("group", "profile", "release", "hostname", "arch", "state", "address", "uuid")
    assert ["new", "p", "sha256:1", "n2", "arm64", "held", "10.0.0.1", UUID] == [*map(record.fact, names)]


def test_a_machine_that_no_group_selects_any_more_has_none() -> None:
    record = folded([event(1, mac=MAC, group="g", profile="p"), event(2, mac=MAC, group="", profile="", status=404)])
    assert ("", "") == (record.fact("group"), record.fact("profile"))
    # Stores that do not respond say nothing about it.
    record = folded([event(1, mac=MAC, group="g"), event(2, mac=MAC, group="", status=503)])
    assert "g" == record.fact("group")


def test_a_refused_request_changes_nothing_that_is_known() -> None:
    known = event(1, mac=MAC, uuid=UUID, hostname="node", group="g")
    spoofed = event(2, mac=MAC, uuid=UUID.replace("4c", "5d"), hostname="evil", group="g", verdict="refuse")
    record = folded([known, spoofed])
    assert (UUID, "node", spoofed) == (record.fact("uuid"), record.fact("hostname"), record.newest)
    assert "evil" == folded([spoofed]).fact("hostname")


def test_only_requests_of_machines_and_for_assets_are_events() -> None:
    for fields in (
        {},
        {"mac": MAC, "method": "HEAD"},
        {"mac": MAC, "route": "/"},
        {"mac": MAC, "route": ""},
        {"mac": MAC, "user_agent": "iPXE/2.0.0 (matchboxctl check)"},
        {"uuid": "00000000-0000-0000-0000-000000000000"},
        {"serial": "s" * 300},
        {"route": None, "mac": MAC},
    ):
        assert event_in(line(**fields), 1) is None, fields
    assert "report" == event(1, mac=MAC, route="/report").kind
    assert ("asset", "/assets/vmlinuz") == event(1, route="/assets/", path="/assets/vmlinuz")[1:3]


def test_a_check_that_the_gate_gives_a_configuration_is_an_event() -> None:
    """Whoever has a token cannot hide what he took by the name of his program."""
    check = {"mac": MAC, "user_agent": "curl/8 (matchboxctl check)", "group": "g"}
    for route in ("/ignition", "/report"):
        assert event_in(line(route=route, verdict="allow", **check), 1) is not None
        for verdict in ({}, {"verdict": "wait"}, {"verdict": "refuse"}):
            assert event_in(line(route=route, **check, **verdict), 1) is None
    assert event_in(line(route="/ipxe", verdict="allow", **check), 1) is None


def test_what_came_with_a_uuid_alone_belongs_to_its_mac_address() -> None:
    """Before and after it is known, as Talos asks for its configuration with the UUID alone."""
    store = MemoryHistory()
    history = History(store)
    early, script, late = (
        event(1, uuid=UUID, route="/ignition", hostname="n1"),
        event(2, uuid=UUID, mac=MAC),
        event(3, uuid=UUID, route="/ignition"),
    )
    history.add([early])
    assert ["uuid:" + UUID] == [each.identities.keys[0] for each in history.page(Wanted(), 10).records]
    history.add([script])
    history.add([late])
    (record,) = history.page(Wanted(), 10).records
    assert (Identities(MAC, UUID), 1, late) == (record.identities, record.first_seen, record.newest)
    assert [early, script, late] == history.events(record, 0)
    assert record == history.machine(f"uuid:{UUID}") == history.machine(f"mac:{MAC}")


def test_boots_begin_with_scripts_that_make_nobody_wait() -> None:
    wait, again = (event(time, mac=MAC, verdict="wait") for time in (1, 2))
    script, configuration = event(3, mac=MAC, release="r1"), event(4, mac=MAC, route="/ignition")
    next_boot = event(9, mac=MAC)
    found = list(boots([next_boot, configuration, script, again, wait]))
    assert [(wait, again, script, configuration), (next_boot,)] == [boot.events for boot in found]
    assert [(1, "r1"), (9, "")] == [(boot.start, boot.release) for boot in found]


def asset(time: int) -> Event:
    return event(time, route="/assets/", path="/assets/vmlinuz")


def test_assets_are_the_only_machines_that_got_a_script_there() -> None:
    script, other = event(1000, mac=MAC), event(2000, mac=OTHER_MAC)
    kernel = asset(61_000)
    keys = [f"mac:{MAC}"]
    assert [kernel._replace(inferred=True)] == list(inferred({0: [kernel, script]}, keys))
    assert [] == list(inferred({0: [kernel, script, other]}, keys))
    assert [] == list(inferred({0: [asset(602_000), script]}, keys))
    assert [] == list(inferred({0: [asset(500), script]}, keys))
    waiting = other._replace(verdict="wait")
    assert [kernel._replace(inferred=True)] == list(inferred({0: [kernel, script, waiting]}, keys))


def test_assets_of_an_hour_that_may_have_lost_events_are_nobodys() -> None:
    many = [event(HOUR - 1000 + number, mac=MAC) for number in range(HOUR_EVENTS)]
    assert [] == list(inferred({0: many, 1: [asset(HOUR + 1000)]}, [f"mac:{MAC}"]))
    assert 1 == len(list(inferred({0: many[1:], 1: [asset(HOUR + 1000)]}, [f"mac:{MAC}"])))


def test_a_command_says_a_machines_group_only_where_no_request_did() -> None:
    """A request has all labels. Whom an operator accepts is in a group from then on."""
    asked = event_in({"route": "/ipxe", "method": "GET", "mac": MAC, "group": "workers"}, 1000)
    assert asked is not None
    approved = command_event(2000, "approve", Identities(MAC), "ready", "alice", "plain")
    accepted = command_event(3000, "accept", Identities(MAC), "unknown", "alice", "node1")
    assert "plain" == fold(None, approved).fact("group")
    assert "workers" == fold(fold(None, asked), approved).fact("group")
    assert "node1" == reduce(fold, [accepted, asked, approved], Record()).fact("group")
