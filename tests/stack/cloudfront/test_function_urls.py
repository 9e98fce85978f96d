"""Who may invoke a function by its URL, with the permissions of the template."""

from typing import Any

import pytest

from tests.stack.cloudfront.function_urls import FunctionUrl
from tests.stack.cloudfront.messages import Request, Response
from tests.stack.cloudfront.signatures import Principal, signed
from tests.stack.conftest import KEY
from tests.stack.place import BEHIND_CLOUDFRONT
from tests.stack.resolution import Stack, stacks
from tools.template_translation import Deployment

ARN = "arn:aws:cloudfront::123456789012:distribution/"
EDGE = Principal("cloudfront.amazonaws.com", f"{ARN}<Distribution>", "AKIAEDGE", "secret")
OTHERS = {
    "another distribution": EDGE._replace(source_arn=f"{ARN}E2", access_key="AKIAE2"),
    "another service": EDGE._replace(service="apigateway.amazonaws.com", access_key="AKIAAPI"),
    "another account's user": Principal("", "arn:aws:iam::999999999999:user/x", "AKIAUSER", "secret"),
}
REGION = "eu-central-1"
URLS = {"BootApiUrl": ("DistributionMayAsk", "DistributionMayInvoke"),
        "SignedApiUrl": ("DistributionMayAskSigned", "DistributionMayInvokeSigned")}  # fmt: skip


@pytest.fixture
def stack() -> Stack:
    return stacks([Deployment({**BEHIND_CLOUDFRONT, **KEY})])[0]


class Url:
    """A function URL of a stack, and the events of its function."""

    def __init__(self, stack: Stack, name: str = "BootApiUrl") -> None:
        self.events: list[Any] = []
        principals = {each.access_key: each for each in (EDGE, *OTHERS.values())}
        self._url = FunctionUrl(stack, name, self._invoke, REGION, principals)

    def send(self, by: Principal | None = EDGE, path: str = "/ipxe", query: str = "") -> Response:
        headers = (("host", self._url.host), ("x-forwarded-for", "203.0.113.9"), ("accept", "a"), ("accept", "b"))
        request = Request("GET", path, query, headers, True, "130.176.0.9")
        if by:
            request = request._replace(headers=signed(request, self._url.host, "lambda", REGION, by))
        return self._url.respond(request)

    def _invoke(self, event: Any) -> Any:
        self.events.append(event)
        return {"statusCode": 200, "headers": {"Content-Type": "text/plain"}, "body": "eA==", "isBase64Encoded": True}


@pytest.mark.parametrize("name", URLS)
def test_distribution_may_invoke_the_function(stack: Stack, name: str) -> None:
    url = Url(stack, name)
    response = url.send()
    assert (200, b"x", "text/plain") == (response.status, response.body, response.headers["content-type"])


@pytest.mark.parametrize("name", URLS)
def test_both_permissions_are_needed(stack: Stack, name: str) -> None:
    for permission in URLS[name]:
        kept = stack.resources.pop(permission)
        url = Url(stack, name)
        assert (403, []) == (url.send().status, url.events)
        stack.resources[permission] = kept
    assert 200 == Url(stack, name).send().status


def test_nobody_else_may(stack: Stack) -> None:
    url = Url(stack)
    assert [403] * 4 == [url.send(by).status for by in (None, *OTHERS.values())]
    assert [] == url.events


def test_event_has_path_and_query_as_they_arrived(stack: Stack) -> None:
    url = Url(stack)
    url.send(path="/a%2Fb", query='serial="a+b&c=%2F&c=;&d[]&&')
    [event] = url.events
    assert ("2.0", "/a%2Fb", 'serial="a+b&c=%2F&c=;&d[]&&') == tuple(
        event[name] for name in ("version", "rawPath", "rawQueryString")
    )
    assert {"serial": '"a+b', "c": "/,;", "d[]": ""} == event["queryStringParameters"]
    assert ("a, b", "203.0.113.9, 130.176.0.9") == tuple(
        event["headers"][name] for name in ("accept", "x-forwarded-for")
    )
    assert "authorization" not in event["headers"]
