"""The events in `events/`: each is one of the balancer's, and the Lambda function answers it."""

import re

import pytest

from lambda_matchbox.web.app import App
from lambda_matchbox.web.wiring import lambda_app
from tests.rigs.service import Service
from tests.rigs.stores import new_stores
from tests.support.balancer_events import EVENTS, EXPECTED, assert_answered, event, fill
from tests.support.long_timeout import long_timeout


@pytest.fixture(scope="module")
def app(moto_server: Service) -> App:
    stores = new_stores(moto_server, moto_server)
    fill(stores)
    with long_timeout():
        return lambda_app(stores.environment() | {"MATCHBOX_LOG_LEVEL": "critical"})


def test_all_are_expected() -> None:
    """Every file has an expected answer here, and every answer a file."""
    assert set(EXPECTED) == set(EVENTS)


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_an_event_of_the_balancer(name: str) -> None:
    """Each file has the fields that the balancer sends to a target group with multi-value headers, and no others."""
    given = event(name)
    assert {
        "requestContext",
        "httpMethod",
        "path",
        "multiValueQueryStringParameters",
        "multiValueHeaders",
        "body",
        "isBase64Encoded",
    } == set(given)
    assert re.fullmatch(
        r"arn:aws:elasticloadbalancing:[a-z0-9-]+:\d{12}:targetgroup/\w+/[0-9a-f]{16}",
        given["requestContext"]["elb"]["targetGroupArn"],
    )
    assert given["httpMethod"] in ("GET", "HEAD")
    assert given["path"].startswith("/")
    assert ("", False) == (given["body"], given["isBase64Encoded"])
    lists = [*given["multiValueHeaders"].values(), *given["multiValueQueryStringParameters"].values()]
    assert [] == [values for values in lists if not values or {type(value) for value in values} != {str}]
    assert [] == [key for key in given["multiValueHeaders"] if key != key.lower()]
    if given["multiValueHeaders"]["user-agent"] != ["ELB-HealthChecker/2.0"]:
        _assert_forwarded(given["multiValueHeaders"])


def _assert_forwarded(headers: dict[str, list[str]]) -> None:
    """What the balancer adds to a client's request, but not to its own health check."""
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", headers["x-amzn-trace-id"][0])
    assert re.search(r"(\d+\.){3}\d+$", headers["x-forwarded-for"][0])
    assert (["80"], ["http"]) == (headers["x-forwarded-port"], headers["x-forwarded-proto"])
    assert "host" in headers


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_answer(app: App, name: str) -> None:
    """Each event is answered with its status, type and first bytes, in the form that the balancer takes."""
    assert_answered(name, app.handle(event(name)))


@pytest.mark.parametrize("name", ["asset-large-ipxe", "hostile-header"])
def test_redirect(app: App, moto_server: Service, name: str) -> None:
    """A large asset is at a presigned address of the bucket, whatever host the client named."""
    (location,) = app.handle(event(name))["multiValueHeaders"]["location"]
    address, _, query = location.partition("?")
    assert address.startswith(f"{moto_server.endpoint}/matchbox-")
    assert address.endswith("/assets/large/vmlinuz")
    assert "X-Amz-Signature=" in query


def test_no_location_on_a_failure(app: App) -> None:
    """Only a redirect has an address: boot clients follow one on an error too."""
    answers = {name: app.handle(event(name)) for name in EXPECTED}
    assert {"asset-large-ipxe", "hostile-header", "path-outside"} == {
        name for name, answer in answers.items() if "location" in answer["multiValueHeaders"]
    }
