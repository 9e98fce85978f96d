"""The client's address in the access log."""

import io
import json

import pytest
from aws_lambda_powertools import Logger

from lambda_matchbox.web.access_log import AccessLogFields, log_request
from lambda_matchbox.web.alb import request_from
from tests.support.balancer_events import event

CLIENT = "10.17.13.52"


def logged_client(forwarded_for: list[str] | None) -> str:
    """The address in the log line of a request with these lines of X-Forwarded-For."""
    given = event("ipxe-by-mac")
    given["multiValueHeaders"].pop("x-forwarded-for")
    if forwarded_for is not None:
        given["multiValueHeaders"]["x-forwarded-for"] = forwarded_for
    written = io.StringIO()
    # Loggers of one name share their first stream.
    log = Logger(service=f"{forwarded_for}", stream=written)
    log_request(log, request_from(given), AccessLogFields(), 0.0)
    client: str = json.loads(written.getvalue())["client"]
    return client


@pytest.mark.parametrize(
    "forwarded_for",
    [
        [CLIENT],
        [f"192.0.2.1, {CLIENT}"],
        [f"192.0.2.1,{CLIENT}"],
        [f", ,{CLIENT}"],
        ["192.0.2.1", f"192.0.2.2, {CLIENT}"],
        ["192.0.2.1", CLIENT],
    ],
)
def test_client_is_the_address_that_the_balancer_appended(forwarded_for: list[str]) -> None:
    """What stands before it is the client's own word."""
    assert CLIENT == logged_client(forwarded_for)


def test_request_without_the_header_has_no_address() -> None:
    """A health check of the balancer."""
    assert logged_client(None) == ""
