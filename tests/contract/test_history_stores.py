"""Histories of machines, in every store."""

from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from lambda_matchbox.aws.clients.dynamodb import DynamoDB
from lambda_matchbox.aws.clients.http_client import HttpClient
from lambda_matchbox.aws.clients.sigv4 import Credentials
from lambda_matchbox.aws.history import SHARDS, TableHistory
from lambda_matchbox.aws.table_and_bucket import create_history_table
from lambda_matchbox.machines.events import Event, command_event, event_in
from lambda_matchbox.machines.history import HOUR, HOUR_EVENTS
from lambda_matchbox.machines.history_stores import CursorError, History, HistoryStore, Wanted, Watch
from lambda_matchbox.machines.identities import Identities
from matchboxctl.directory.history_file import DirectoryHistory
from tests.contract.conftest import ON_DYNAMODB
from tests.rigs.catalog_table import ENOUGH
from tests.rigs.service import Service
from tests.rigs.tcp_fault import fault_proxy
from tests.support.memory_history import MemoryHistory

MAC, UUID = "52:54:00:12:34:56", "4c4c4544-0038-4410-8052-b3c04f4b5931"
START = 700_000 * HOUR


@pytest.fixture(params=["memory", "directory", *ON_DYNAMODB])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[HistoryStore]:
    match request.param:
        case "memory":
            yield MemoryHistory()
        case "directory":
            with closing(DirectoryHistory(tmp_path)) as store:
                yield store
        case service:
            with on_dynamodb(request.getfixturevalue(service)) as store:
                yield store


@contextmanager
def on_dynamodb(service: Service, endpoint: str = "") -> Iterator[TableHistory]:
    """A history in a new table."""
    with (
        closing(service.client("dynamodb")) as client,
        closing(HttpClient(connect_timeout=ENOUGH, read_timeout=ENOUGH)) as http,
    ):
        name = f"history-{uuid4()}"
        create_history_table(client, name)
        credentials = Credentials(service.access_key, service.secret_key, service.session_token)
        dynamodb = DynamoDB(endpoint or service.endpoint, service.region, lambda: credentials, http)
        yield TableHistory(dynamodb, name, 30 * 24 * 3600, call_timeout=ENOUGH)
        client.delete_table(TableName=name)


@pytest.fixture
def history(store: HistoryStore) -> History:
    return History(store)


def test_identities_are_found_by_their_beginnings(history: History) -> None:
    history.add([event(1, mac=mac(1), uuid=UUID, serial='S"1'), event(2, mac=mac(2)), event(3, uuid=UUID[:-1] + "0")])

    def found(*beginnings: str, limit: int = 9) -> list[str]:
        return sorted(history.keys(beginnings, limit))

    assert [f"mac:{mac(1)}", f"mac:{mac(2)}"] == found("mac:52:54", "uuid:52:54", "serial:52:54")
    assert [f"uuid:{UUID[:-1]}0", f"uuid:{UUID}"] == found("mac:4c4c", "uuid:4c4c", "serial:4c4c")
    assert ['serial:S"1'] == found('serial:S"')
    assert [] == found("serial:52:54", "mac:53")
    assert 2 == len(found("mac:", "uuid:", "serial:", limit=2))


def event(time: int, route: str = "/ipxe", client: str = "10.0.0.1", **fields: object) -> Event:
    line = {"route": route, "method": "GET", "status": 200, "client": client, "user_agent": "iPXE", **fields}
    found = event_in(line, START + time)
    assert found is not None
    return found


def mac(number: int) -> str:
    return f"52:54:00:00:00:{number:02x}"


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


def test_a_forgotten_machine_has_no_history(history: History, store: HistoryStore) -> None:
    own = event(1, mac=MAC, uuid=UUID, client="10.0.0.7")
    other = event(2, mac=mac(2))
    asset = event(3, route="/assets/", path="/assets/k", client="10.0.0.7")
    history.add([own, other, asset, event(4, route="/generic", uuid=UUID)])
    assert history.forget([f"mac:{MAC}"])
    assert not history.forget([f"mac:{MAC}"])
    assert [f"mac:{mac(2)}"] == ids(history, Wanted())
    keys = [*own.identities.keys, "address:10.0.0.7"]
    assert {} == store.records(keys)
    assert {key: {} for key in keys} == store.events(keys, 0)
    assert history.machine(f"uuid:{UUID}") is None


def test_earlier_identities_of_a_machine_are_forgotten_unless_another_one_said_them(
    history: History, store: HistoryStore
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
    assert {} == store.records(keys)
    assert {key: {} for key in keys} == store.events(keys, 0)
    assert [f"uuid:{others}"] == list(store.records([f"uuid:{others}"]))


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
    history: History, store: HistoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch, write = Watch(history, Wanted(since=START)), store.merge_events
    found: list[Event] = []

    def looked() -> None:
        found.extend(each for _, each in watch.poll(START + 2))

    def written(events: Mapping[tuple[str, int], Collection[Event]]) -> None:
        looked()
        write(events)

    monkeypatch.setattr(store, "merge_events", written)
    history.add([event(1, mac=MAC)])
    looked()
    assert [event(1, mac=MAC)] == found


def test_a_watch_shows_no_event_again_when_a_machine_says_its_mac_address(history: History) -> None:
    watch = Watch(history, Wanted(since=START))
    events = [event(1, uuid=UUID), event(3, mac=MAC, uuid=UUID), event(5, uuid=UUID)]
    for each in events:
        history.add([each])
        assert [each] == [come for _, come in watch.poll(each.time)]


def test_writers_at_once_lose_nothing(moto_server: Service) -> None:
    """Functions that got batches of one machine's lines."""
    with on_dynamodb(moto_server) as store, ThreadPoolExecutor(5) as threads:
        history = History(store)
        events = [event(time, mac=MAC, uuid=UUID) for time in range(25)]
        list(threads.map(lambda number: [history.add([each]) for each in events[number::5]], range(5)))
        record = history.machine(f"uuid:{UUID}")
        assert record is not None
        assert (START, START + 24, events) == (record.first_seen, record.last_seen, history.events(record, 0))


def test_pages_of_a_table_cost_the_same_and_scan_nothing(moto_server: Service) -> None:
    with fault_proxy(moto_server.endpoint) as proxy, on_dynamodb(moto_server, proxy.endpoint) as store:
        history = History(store)
        history.add([event(number, mac=mac(number), group="g", state="waiting") for number in range(12)])
        for wanted in (Wanted(), Wanted("waiting", "g", START)):
            cursor = ""
            while True:
                proxy.forget_requests()
                page = history.page(wanted, 5, cursor)
                assert {"Query": SHARDS} == proxy.requests()
                if not (cursor := page.cursor):
                    break


def test_a_request_costs_a_table_a_read_and_a_write_for_each_item(moto_server: Service) -> None:
    """The items: the machine's record and hour, its address's hour; the UUID's record once a day."""
    with fault_proxy(moto_server.endpoint) as proxy, on_dynamodb(moto_server, proxy.endpoint) as store:
        history = History(store)
        for time, writes in ((1, 4), (2, 3), (3, 3)):
            proxy.forget_requests()
            history.add([event(time, mac=MAC, uuid=UUID)])
            assert {"GetItem": 4, "PutItem": writes} == proxy.requests()
        # An address that many machines share is no bottleneck.
        history.add([event(number, mac=mac(number)) for number in range(HOUR_EVENTS)])
        proxy.forget_requests()
        history.add([event(99, mac=mac(99))])
        assert {"GetItem": 3, "PutItem": 2} == proxy.requests()
