"""The function, fed with what boot_api's app logs as CloudWatch Logs packs it, over a table."""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from uuid import uuid4

import pytest

from boot_history import handler as function
from lambda_matchbox.aws.catalog.writer import CatalogWriter
from lambda_matchbox.aws.clients.errors import AWSError
from lambda_matchbox.aws.clients.store_clients import StoreClients
from lambda_matchbox.aws.history import EXPIRES, INDEXES, KEY, SHARDS
from lambda_matchbox.aws.table_and_bucket import create_bucket, create_history_table, create_table
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import NetBoot, Profile
from lambda_matchbox.machines.events import Event
from lambda_matchbox.machines.history import HOUR
from lambda_matchbox.machines.history_stores import Wanted
from lambda_matchbox.web.wiring import lambda_app
from tests.rigs.faults import FORBIDDEN, PassThrough
from tests.rigs.service import Service
from tests.rigs.stores import Stores, new_stores
from tests.rigs.tcp_fault import FaultProxy, fault_proxy
from tests.support.log_subscription import packed

NOW = 700_000 * HOUR
MAC, UUID = "52:54:00:12:34:56", "4c4c4544-0038-4410-8052-b3c04f4b5931"


@pytest.fixture(scope="module")
def proxy(moto_server: Service) -> Iterator[FaultProxy]:
    with fault_proxy(moto_server.endpoint) as proxy:
        yield proxy


@pytest.fixture
def environment(moto_server: Service, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """That of a function whose table is new."""
    stores = new_stores(moto_server, moto_server)
    environment = stores.environment() | {
        "MATCHBOX_HISTORY_TABLE": f"history-{uuid4()}",
        "AWS_ENDPOINT_URL_DYNAMODB": proxy.endpoint,
    }
    with closing(moto_server.client("dynamodb")) as client:
        create_history_table(client, environment["MATCHBOX_HISTORY_TABLE"])
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    function._history.cache_clear()
    yield environment
    proxy.switch(PassThrough())


def line(**fields: object) -> str:
    common = {"message": "request", "route": "/ipxe", "method": "GET", "status": 200, "client": "10.0.0.5"}
    return json.dumps({**common, **fields})


def test_a_boot_is_in_the_history(environment: Mapping[str, str], moto_server: Service) -> None:
    messages = [
        "INIT_START Runtime Version: python:3.13.v50\n",
        json.dumps({"time": "2049-11-01T00:00:00Z", "type": "platform.report", "record": {"requestId": "x"}}),
        "[]",
        line(mac=MAC, uuid=UUID, group="g", profile="p", arch="x86_64"),
        line(route="/assets/", path="/assets/vmlinuz"),
        line(route="/ignition", uuid=UUID, group="g", profile="p"),
        json.dumps({"message": "signing", "route": "/ipxe", "mac": MAC}),
    ]
    assert function.handler(packed(messages, NOW), None) is None
    history = function.history_of(environment)
    (record,) = history.page(Wanted(group="g"), 10).records
    assert (MAC, UUID, "p", "10.0.0.5") == tuple(map(record.fact, ("mac", "uuid", "profile", "address")))
    assert [(NOW + 3, "/ipxe"), (NOW + 4, "/assets/vmlinuz"), (NOW + 5, "/ignition")] == [
        each[0:3:2] for each in history.events(record, 0)
    ]
    with closing(moto_server.client("dynamodb")) as client:
        items = client.scan(TableName=environment["MATCHBOX_HISTORY_TABLE"])["Items"]
    month = 30 * 24 * 3600
    for item in items:
        # A link has its day, an hour's events the hour's end.
        assert -24 * 3600 <= int(item[EXPIRES]["N"]) - NOW // 1000 - month <= 3600
    # A UUID's record is a part of its MAC address's.
    assert [f"mac:{MAC}"] == [item[KEY]["S"] for item in items if "place" in item]


def test_control_messages_have_no_events(environment: Mapping[str, str]) -> None:
    function.handler(packed(["CWL CONTROL MESSAGE: Checking health of destination"], NOW, "CONTROL_MESSAGE"), None)
    assert ((), "") == function.history_of(environment).page(Wanted(), 10)


def test_an_event_that_could_not_be_written_is_written_when_it_comes_again(
    environment: Mapping[str, str], proxy: FaultProxy
) -> None:
    event = packed([line(mac=MAC, uuid=UUID), line(mac="52:54:00:00:00:01")], NOW)
    proxy.switch(replace(FORBIDDEN, only="PutItem"))
    with pytest.raises(AWSError, match="not authorized"):
        function.handler(event, None)
    proxy.switch(PassThrough())
    for _ in range(2):
        function.handler(event, None)
        records = function.history_of(environment).page(Wanted(), 10).records
        assert [(1, 1), (0, 0)] == [(record.first_seen - NOW, record.last_seen - NOW) for record in records]


def test_what_lies_in_the_dead_letter_queue_is_written_when_it_is_taken_back(
    environment: Mapping[str, str], moto_server: Service
) -> None:
    """As Lambda sends an event that failed to the queue, and the event source mapping hands it over."""
    with closing(moto_server.client("sqs")) as client:
        queue = client.create_queue(QueueName=f"letters-{uuid4()}")["QueueUrl"]
        for at in range(2):
            client.send_message(
                QueueUrl=queue, MessageBody=json.dumps(packed([line(mac=f"52:54:00:00:00:0{at}")], NOW))
            )
        while messages := client.receive_message(QueueUrl=queue).get("Messages"):
            function.handler({"Records": [{"body": each["Body"], "eventSource": "aws:sqs"} for each in messages]}, None)
            for each in messages:
                client.delete_message(QueueUrl=queue, ReceiptHandle=each["ReceiptHandle"])
    records = function.history_of(environment).page(Wanted(), 10).records
    assert {"52:54:00:00:00:00", "52:54:00:00:00:01"} == {record.fact("mac") for record in records}


def test_an_event_of_another_service_is_an_error(environment: Mapping[str, str]) -> None:
    """So it ends in the queue of what failed."""
    with pytest.raises(KeyError):
        function.handler({"detail-type": "Scheduled Event"}, None)


def test_machines_of_one_state_are_divided_among_the_keys_of_its_index(
    environment: Mapping[str, str], moto_server: Service
) -> None:
    events = [
        Event(NOW, "request", "/ipxe", f"52:54:00:00:00:{at:02x}", state="waiting", group="g", status=200)
        for at in range(40)
    ]
    history = function.history_of(environment)
    history.add(events)
    with closing(moto_server.client("dynamodb")) as client:
        items = client.scan(TableName=environment["MATCHBOX_HISTORY_TABLE"])["Items"]
    for index in INDEXES:
        assert SHARDS == len({item[index]["S"] for item in items if index in item})
    assert 40 == len(history.page(Wanted("waiting", "g"), 100).records)


def test_without_requests_for_assets_nothing_lies_under_addresses(
    environment: Mapping[str, str], moto_server: Service
) -> None:
    """Behind CloudFront."""
    event = Event(NOW, "request", "/ipxe", "52:54:00:00:00:01", address="10.0.0.5", group="g", status=200)
    kinds = []
    for setting in ("false", "true"):
        history = function.history_of({**environment, "MATCHBOX_HISTORY_ASSETS": setting})
        history.add([event])
        assert [event] == history.events(history.page(Wanted(), 1).records[0], 0)
        with closing(moto_server.client("dynamodb")) as client:
            items = client.scan(TableName=environment["MATCHBOX_HISTORY_TABLE"])["Items"]
        kinds.append({item["pk"]["S"].partition(":")[0] for item in items})
    assert [{"mac"}, {"mac", "address"}] == kinds


@pytest.mark.parametrize("level", ["error", "info", "debug"])
def test_lines_of_boot_api_become_events_at_every_log_level(
    environment: Mapping[str, str], moto_server: Service, level: str, capsys: pytest.CaptureFixture[str]
) -> None:
    create(Stores(environment["MATCHBOX_TABLE"], moto_server, moto_server), moto_server)
    query = {"mac": ["52-54-00-12-34-56"], "os": ["a"]}
    headers = {"host": ["boot.example"], "x-forwarded-for": ["10.0.0.5"]}
    request = {"httpMethod": "GET", "path": "/ipxe", "multiValueQueryStringParameters": query}
    app = lambda_app({**environment, "MATCHBOX_LOG_LEVEL": level, "MATCHBOX_HISTORY": "true"})
    capsys.readouterr()
    assert 200 == app.handle({**request, "multiValueHeaders": headers})["statusCode"]
    function.handler(packed(capsys.readouterr().out.splitlines(), NOW), None)
    (record,) = function.history_of(environment).page(Wanted(), 10).records
    assert (MAC, "g", "p") == tuple(map(record.fact, ("mac", "group", "profile")))


def create(stores: Stores, service: Service) -> None:
    with closing(service.client("dynamodb")) as dynamodb, closing(service.client("s3")) as s3:
        create_table(dynamodb, stores.name)
        create_bucket(s3, stores.name, service.region)
        writer = CatalogWriter(StoreClients(dynamodb, s3, stores.name, stores.name))
        writer.put_profile(Profile("p", boot=NetBoot("/assets/vmlinuz")))
        writer.put_group(Group("g", profile="p", selector={"os": "a"}))
