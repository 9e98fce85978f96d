"""The events in `events/` are those of the balancer, and the Lambda function responds to them."""

import re

import pytest

from lambda_matchbox.web.app import App
from lambda_matchbox.web.wiring import lambda_app
from tests.rigs.service import Service
from tests.rigs.stores import new_stores
from tests.support.balancer_events import EVENTS, EXPECTED, assert_response, event, fill
from tests.support.long_timeout import long_timeout


@pytest.fixture(scope="module")
def app(moto_server: Service) -> App:
    stores = new_stores(moto_server, moto_server)
    fill(stores)
    with long_timeout():
        return lambda_app(stores.environment() | {"MATCHBOX_LOG_LEVEL": "critical"})


def test_each_event_has_an_expected_response() -> None:
    assert set(EXPECTED) == set(EVENTS)


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_event_has_the_fields_of_the_balancer(name: str) -> None:
    """Exactly those sent to a target group with multi-value headers."""
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
    """The headers that the balancer adds to a client's request, but not to its health check."""
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", headers["x-amzn-trace-id"][0])
    assert re.search(r"(\d+\.){3}\d+$", headers["x-forwarded-for"][0])
    assert (["80"], ["http"]) == (headers["x-forwarded-port"], headers["x-forwarded-proto"])
    assert "host" in headers


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_event_gets_the_expected_response(app: App, name: str) -> None:
    assert_response(name, app.handle(event(name)))


@pytest.mark.parametrize("name", ["asset-large-ipxe", "hostile-header"])
def test_large_asset_is_redirected_to_the_bucket(app: App, moto_server: Service, name: str) -> None:
    """Whatever host the client named."""
    (location,) = app.handle(event(name))["multiValueHeaders"]["location"]
    address, _, query = location.partition("?")
    assert address.startswith(f"{moto_server.endpoint}/matchbox-")
    assert address.endswith("/assets/large/vmlinuz")
    assert "X-Amz-Signature=" in query


def test_only_redirects_have_a_location(app: App) -> None:
    """Boot clients follow one on an error too."""
    responses = {name: app.handle(event(name)) for name in EXPECTED}
    assert {"asset-large-ipxe", "hostile-header", "path-outside"} == {
        name for name, response in responses.items() if "location" in response["multiValueHeaders"]
    }
