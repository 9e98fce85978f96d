"""What histories in a table cost, and writers at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from lambda_matchbox.aws import history as aws_history
from lambda_matchbox.aws.history import SHARDS, shard_of
from lambda_matchbox.machines.history import HOUR_EVENTS
from lambda_matchbox.machines.history_stores import History, TooManyError, Wanted
from lambda_matchbox.machines.state import STATES
from tests.contract.histories import MAC, START, UUID, event, mac, on_dynamodb
from tests.rigs.service import Service
from tests.rigs.tcp_fault import fault_proxy


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
        of_all = SHARDS * len(STATES)
        for wanted, queries in ((Wanted(), of_all), (Wanted("", "g"), of_all), (Wanted("waiting", "g", START), SHARDS)):
            cursor = ""
            while True:
                proxy.forget_requests()
                page = history.page(wanted, 5, cursor)
                assert {"Query": queries} == proxy.requests()
                if not (cursor := page.cursor):
                    break


def test_machines_of_a_table_are_counted_by_a_query_of_each_state_and_shard(
    moto_server: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    with fault_proxy(moto_server.endpoint) as proxy, on_dynamodb(moto_server, proxy.endpoint) as store:
        assert {} == store.states()
        waiting = [event(number, mac=mac(number), uuid=UUID, state="waiting") for number in range(20)]
        History(store).add([*waiting, event(30, mac=mac(30))])
        proxy.forget_requests()
        assert {"waiting": 20, "unknown": 1} == store.states()
        assert {"Query": SHARDS * len(STATES)} == proxy.requests()
        monkeypatch.setattr(aws_history, "MOST_COUNTED", 2 * SHARDS)
        proxy.forget_requests()
        with pytest.raises(TooManyError, match="more than about 16 machines are not counted"):
            store.states()
        assert {"Query": SHARDS * len(STATES)} == proxy.requests()


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


def test_a_page_that_lies_in_one_shard_takes_its_rest_from_there(moto_server: Service) -> None:
    with fault_proxy(moto_server.endpoint) as proxy, on_dynamodb(moto_server, proxy.endpoint) as store:
        one = [mac(number) for number in range(256) if shard_of(f"mac:{mac(number)}") == 3]
        other = next(mac(number) for number in range(256) if shard_of(f"mac:{mac(number)}") == 4)
        history = History(store)
        history.add([event(1 + number, mac=each, group="g") for number, each in enumerate(one)] + [event(0, mac=other)])
        proxy.forget_requests()
        page = history.page(Wanted("ready"), 20)
        assert list(reversed(one))[:20] == [record.fact("mac") for record in page.records]
        assert {"Query": SHARDS + 1} == proxy.requests()
        assert [*reversed(one), other][20:] == [
            record.fact("mac") for record in history.page(Wanted(), 200, page.cursor).records
        ]
