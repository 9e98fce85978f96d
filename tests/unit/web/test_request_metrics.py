"""Request metrics for CloudWatch."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from lambda_matchbox.assets.file_server import Delivery
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.web.alb import BODY_LIMIT
from lambda_matchbox.web.app import App
from lambda_matchbox.web.metrics import CLIENT_ERRORS, MILLISECONDS, SERVER_ERRORS, RequestMetrics
from lambda_matchbox.web.routes import Routes, Stores
from lambda_matchbox.web.wiring import lambda_app
from tests.support.memory_catalog import MemoryCatalog
from tests.support.memory_releases import MemoryFiles, MemoryReleases
from tests.unit.web.hostile_requests import quiet
from tests.unit.web.metric_lines import Metric, metrics_of

NAMESPACE = "matchbox/test"
ENVIRONMENT = {
    "MATCHBOX_TABLE": "table",
    "MATCHBOX_BUCKET": "bucket",
    "MATCHBOX_LOG_LEVEL": "critical",
    "AWS_REGION": "eu-west-1",
}


class Away(MemoryCatalog):
    """A catalog whose table is unavailable."""

    def profile(self, profile_id: str) -> Profile | None:
        raise StoreUnavailableError("no response")


def app(count: Callable[[int, float], None]) -> App:
    stores = Stores(Away(), MemoryFiles({}), MemoryReleases(), responses=None)
    return App(Routes(stores, Delivery(BODY_LIMIT, "-")), quiet(), count=count)


def event(path: str) -> dict[str, Any]:
    return {"httpMethod": "GET", "path": path, "multiValueHeaders": {"host": ["matchbox.test"]}}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/boot.ipxe", 200),
        ("/ipxe", 404),
        ("/assets/some/file", 404),
        ("/profiles/some", 503),
        ("//boot.ipxe", 301),
        ("/wp-login.php", 404),
    ],
)
def test_requests_are_counted_by_status(path: str, status: int) -> None:
    counted: list[int] = []
    app(lambda status, _: counted.append(status)).handle(event(path))
    assert [status] == counted


def test_line_of_a_request(capsys: pytest.CaptureFixture[str]) -> None:
    """No dimension has more than one value: each combination costs."""
    publish = RequestMetrics(NAMESPACE).publish
    publish(503, 0.0123456)
    publish(404, 0.001)
    text = capsys.readouterr().out
    assert 2 == text.count("\n")
    service = (("service", "boot_api"),)
    assert [
        Metric(NAMESPACE, service, SERVER_ERRORS, "Count", (1.0,)),
        Metric(NAMESPACE, service, CLIENT_ERRORS, "Count", (0.0,)),
        Metric(NAMESPACE, service, MILLISECONDS, "Milliseconds", (12.346,)),
        Metric(NAMESPACE, service, SERVER_ERRORS, "Count", (0.0,)),
        Metric(NAMESPACE, service, CLIENT_ERRORS, "Count", (1.0,)),
        Metric(NAMESPACE, service, MILLISECONDS, "Milliseconds", (1.0,)),
    ] == metrics_of(text)


def test_line_of_the_first_request_is_as_that_of_powertools(capsys: pytest.CaptureFixture[str]) -> None:
    publish = RequestMetrics(NAMESPACE).publish
    for _ in range(2):
        publish(503, 0.0123456)
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert 0 <= second["_aws"].pop("Timestamp") - first["_aws"].pop("Timestamp") < 60_000
    assert json.dumps(first) == json.dumps(second)


def test_function_counts_in_the_namespace_of_its_environment(capsys: pytest.CaptureFixture[str]) -> None:
    """Without one it counts nothing."""
    for namespace in ({}, {"POWERTOOLS_METRICS_NAMESPACE": NAMESPACE}):
        app = lambda_app(ENVIRONMENT | namespace)
        assert "" == capsys.readouterr().out
        for _ in range(2):
            app.handle(event("/boot.ipxe"))
    assert [(NAMESPACE, name) for name in (SERVER_ERRORS, CLIENT_ERRORS, MILLISECONDS)] * 2 == [
        (metric.namespace, metric.name) for metric in metrics_of(capsys.readouterr().out)
    ]
