"""DynamoDB calls of each route of the Lambda function; no Scan, no Query, no write: see READS."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from lambda_matchbox.aws.clients.dynamodb import DynamoDB
from lambda_matchbox.aws.clients.http_client import HttpClient
from lambda_matchbox.aws.clients.http_connection import HttpResponse
from lambda_matchbox.aws.clients.sigv4 import Credentials
from lambda_matchbox.aws.keys import KEY, entry_key
from lambda_matchbox.aws.keys import SHAPES as SHAPES_KEY
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import NetBoot, Profile
from lambda_matchbox.catalog.selection import selectors_of
from tests.contract.boot_app import Reply, boot_app
from tests.contract.conftest import MakeTable
from tests.contract.many_groups import of_shapes, with_lists, write
from tests.rigs.catalog_table import ENOUGH, CatalogTable
from tests.rigs.service import Service

SHAPES = 60
OTHERS = {"rack": "7", "uuid": "4c4c4544-0051-3510-8052-b4c04f4e4d32", "serial": "x y"}
LABELS = {"key004": "value 64", **OTHERS}
"""Of a machine that g00064 takes, whatever the number of groups."""

LISTED = {"key003": "value 63, 9", **OTHERS}
"""Of one that g00063 takes by the last value that it lists."""

METADATA = {"site": "north", "rack": "hidden"}
PROFILE = Profile("p", "", "i.yaml", "c.yaml", "g.txt", NetBoot("/assets/vmlinuz", ("/assets/initramfs",)), METADATA)
SIZES = [
    pytest.param(("moto_server", 300), id="300 groups on moto"),
    pytest.param(("dynamodb_local", 1_000), id="1,000 groups on DynamoDB Local", marks=pytest.mark.real),
    pytest.param(
        ("dynamodb_local", 10_000),
        id="10,000 groups on DynamoDB Local",
        marks=[pytest.mark.real, pytest.mark.nightly],
    ),
]


@pytest.fixture(scope="module", params=SIZES)
def filled(request: pytest.FixtureRequest, made: MakeTable) -> Iterator[CatalogTable]:
    """Groups of 60 shapes, of which a third list values, and a template of each kind."""
    service, number = request.param
    with closing(made(request.getfixturevalue(service))) as table:
        write(table, [with_lists(group) if n % 3 == 0 else group for n, group in enumerate(of_shapes(SHAPES, number))])
        table.writer.put_profile(PROFILE)
        table.writer.put_template("ignition", "i.yaml", b"machine: {}\n")
        table.writer.put_template("cloud", "c.yaml", b"#!/bin/sh\n")
        table.writer.put_template("generic", "g.txt", b'{{.site}} {{.rack}}{{with index . "key003"}} {{.}}{{end}}\n')
        table.s3_client.put_object(Bucket=table.name, Key="assets/dir/file", Body=b"x", ContentType="text/plain")
        yield table


@pytest.mark.parametrize("labels", [pytest.param(LABELS, id="plain"), pytest.param(LISTED, id="list")])
@pytest.mark.parametrize(
    ("path", "cold", "warm"),
    [
        ("/", 0, 0),
        ("/boot.ipxe", 0, 0),
        ("/boot.ipxe.0", 0, 0),
        ("/assets/", 1, 1),
        ("/assets/dir/file", 1, 1),
        ("/profiles/p", 1, 1),
        ("/ipxe", 3, 2),
        ("/grub", 3, 2),
        ("/metadata", 3, 2),
        ("/generic", 4, 3),
        ("/cloud", 4, 3),
        ("/ignition", 4, 3),
    ],
)
def test_route_keeps_its_budget(filled: CatalogTable, path: str, cold: int, warm: int, labels: dict[str, str]) -> None:
    """Whatever the number of groups and their lists."""
    with boot_app(filled) as app:
        assert [cold, warm, warm] == [app.cost(path, **labels) for _ in range(3)]


def test_template_sees_profile_metadata_and_the_machines_value(filled: CatalogTable) -> None:
    with boot_app(filled) as app:
        assert Reply(200, b"north 7 value 63, 9\n") == app.send("/generic", **LISTED)
        metadata = [line for line in app.send("/metadata", **LISTED).body.splitlines() if b"REQUEST_" not in line]
    assert [b"KEY003=value 63, 9", b"RACK=7", b"SITE=north"] == metadata


@pytest.mark.parametrize(
    ("shapes", "calls"),
    [
        (98, 2),
        (99, 3),
        (300, 5),
        *(pytest.param(*each, marks=pytest.mark.nightly) for each in [(90, 2), (150, 3), (190, 3)]),
    ],
)
def test_each_100_shapes_cost_one_call(table: CatalogTable, shapes: int, calls: int) -> None:
    groups = of_shapes(shapes, shapes)
    write(table, groups)
    table.writer.put_profile(PROFILE)
    with boot_app(table) as app:
        assert [calls + 1, calls] == [app.cost("/ipxe", **groups[-1].selector) for _ in range(2)]


def test_new_shape_costs_one_call_once(table: CatalogTable) -> None:
    write(table, of_shapes(SHAPES, SHAPES))
    table.writer.put_profile(PROFILE)
    with boot_app(table) as app:
        app.cost("/ipxe", **LABELS | {"key004": "value 4"})
        table.fill(Group("new", profile="p", selector={"serial": "x y"}))
        assert [3, 2] == [app.cost("/ipxe", serial="x y") for _ in range(2)]


class Together(HttpClient):
    """Sends none of its first requests before all of them are there."""

    def __init__(self, number: int) -> None:
        super().__init__(connect_timeout=ENOUGH, read_timeout=ENOUGH)
        self._left = number
        self._meet = threading.Barrier(number)
        self._lock = threading.Lock()

    def request(self, *call: Any) -> HttpResponse:
        with self._lock:
            self._left -= 1
            waits = self._left >= 0
        if waits:
            self._meet.wait(ENOUGH)
        return super().request(*call)


def test_calls_for_many_shapes_are_parallel(moto_server: Service, made: MakeTable) -> None:
    groups = of_shapes(300, 300)
    keys = [SHAPES_KEY, *(entry_key(selectors_of(group.selector)[0]) for group in groups)]
    with closing(made(moto_server)) as table, closing(Together(4)) as http:
        write(table, groups)
        credentials = Credentials(moto_server.access_key, moto_server.secret_key)
        dynamodb = DynamoDB(moto_server.endpoint, moto_server.region, lambda: credentials, http)
        items = dynamodb.batch_get_items(table.name, KEY, keys, time.monotonic() + ENOUGH)
    assert sorted(keys) == sorted(item[KEY] for item in items)


def test_function_on_lambda_connects_as_it_starts(filled: CatalogTable) -> None:
    """Its first machine waits for the calls of a warm function."""
    with boot_app(filled, AWS_LAMBDA_FUNCTION_NAME="boot_api") as app:
        assert {"GetItem": 1} == app.proxy.requests()
        assert [2, 2] == [app.cost("/ipxe", **LABELS) for _ in range(2)]


def test_function_on_lambda_starts_without_its_table(filled: CatalogTable) -> None:
    nowhere = {"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:1"}
    with boot_app(filled, AWS_LAMBDA_FUNCTION_NAME="boot_api", **nowhere) as app:
        assert 200 == app.send("/boot.ipxe").status
