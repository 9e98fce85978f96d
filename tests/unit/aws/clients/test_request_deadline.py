"""All calls of a request share its deadline."""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from functools import partial
from typing import Any, NamedTuple

import pytest

from lambda_matchbox.assets.file_server import Delivery
from lambda_matchbox.aws.clients.http_client import HttpClient
from lambda_matchbox.aws.clients.request_deadline import deadline_within, request_deadline
from lambda_matchbox.aws.keys import ASSETS_PREFIX
from lambda_matchbox.aws.table_and_bucket import create_bucket, create_table
from lambda_matchbox.web.app import App
from lambda_matchbox.web.routes import Routes, Stores
from tests.rigs.catalog_table import ENOUGH
from tests.rigs.faults import Delay
from tests.rigs.moto_server import MotoService
from tests.rigs.tcp_fault import fault_proxy
from tests.support.table_stores import table_stores
from tests.unit.web.hostile_requests import quiet

EACH = 0.15
"""Seconds that the slow services take for each response."""

ALL = 0.5
"""Seconds that a request has: enough for three of those responses at most."""


class Slow(NamedTuple):
    """Stores of which each responds slowly, but in the time that one call has."""

    stores: Stores

    def send(
        self, in_time: Callable[[], AbstractContextManager[None]], path: str, **headers: str
    ) -> tuple[int, dict[str, Any]]:
        app = App(Routes(self.stores, Delivery(direct_limit=50, boundary="-")), quiet(), in_time)
        response = app.handle({"httpMethod": "GET", "path": path, "headers": headers})
        return response["statusCode"], response["multiValueHeaders"]


@pytest.fixture
def slow(moto_server: MotoService) -> Iterator[Slow]:
    name = f"matchbox-{uuid.uuid4().hex}"
    with closing(moto_server.client("dynamodb")) as tables, closing(moto_server.client("s3")) as buckets:
        create_table(tables, name)
        create_bucket(buckets, name, moto_server.region)
        buckets.put_object(Bucket=name, Key=ASSETS_PREFIX + "k", Body=b"x" * 100)
    with (
        fault_proxy(moto_server.endpoint) as proxy,
        closing(HttpClient(connect_timeout=ENOUGH, read_timeout=ENOUGH)) as http,
    ):
        proxy.switch(Delay(EACH))
        yield Slow(table_stores(moto_server, name, http, proxy.endpoint))


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/assets/k", {"user-agent": "GRUB 2.06", "range": "bytes=0-0,2-2,4-4,6-6,8-8,10-10"}, 206),
        ("/assets/a%20b%20c", {}, 404),
    ],
)
def test_calls_that_exceed_the_deadline_together_are_503(
    slow: Slow, path: str, headers: dict[str, str], status: int
) -> None:
    refused, fields = slow.send(partial(request_deadline, ALL), path, **headers)
    assert 503 == refused
    assert 2 <= int(fields["retry-after"][0]) <= 10
    assert status == slow.send(nullcontext, path, **headers)[0]


def test_no_call_after_the_deadline(slow: Slow) -> None:
    for path in ("/ipxe", "/profiles/p", "/assets/k"):
        assert 503 == slow.send(partial(request_deadline, -1), path)[0]


def test_sooner_deadline_applies() -> None:
    before = time.monotonic()
    with request_deadline(100):
        assert deadline_within(1) < before + 100
        end = deadline_within(1000)
        assert before + 100 <= end == deadline_within(2000)
        with request_deadline(1000):
            assert end < deadline_within(500)
        assert end == deadline_within(2000)
    assert before + 2000 <= deadline_within(2000)
