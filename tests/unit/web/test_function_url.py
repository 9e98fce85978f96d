"""Requests as a function URL hands them over, behind CloudFront."""

import json
from base64 import b64decode
from typing import Any

import pytest

from lambda_matchbox.machines.policy import Policy
from lambda_matchbox.web import alb
from tests.support.balancer_events import event as balancer_event
from tests.unit.web.gated_server import HOME, MAC, Server, policy

DOOR = "d111111abcdef8.cloudfront.net"
VIEWER = "2001:db8::7"
UNTRUSTED = {
    "host": "abcdefgh.lambda-url.eu-central-1.on.aws",
    "x-forwarded-for": f"{HOME}, 10.9.9.9",
    "x-forwarded-proto": "http",
    "user-agent": "iPXE/1.21.1+ (g1)",
}


def event(path: str, query: str = "", method: str = "GET", **headers: str) -> dict[str, Any]:
    """Payload 2.0 (AWS's Lambda guide, "Invoking Lambda function URLs")."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {**UNTRUSTED, "x-boot-viewer": VIEWER, "x-boot-host": DOOR, **named},
        "requestContext": {"http": {"method": method, "path": path, "sourceIp": "130.176.0.1"}},
        "isBase64Encoded": False,
    }


@pytest.mark.parametrize("server", [None], indirect=True)
def test_query_is_taken_as_it_was_sent(server: Server) -> None:
    """A serial number with `+`, quotes and `%2F` is no other machine's; the balancer's event would lose the order."""
    query = f'mac={MAC}&serial=a+b"c%2Fd;e[]&a&&serial=2&k=&x=%23y'
    response = server.app.handle(event("/metadata", query))
    assert response["statusCode"] == 200
    assert f"REQUEST_RAW_QUERY={query}\n" in response["body"]


@pytest.mark.parametrize("server", [None], indirect=True)
def test_fragment_is_no_part_of_a_query(server: Server) -> None:
    response = server.app.handle(event("/metadata", f"mac={MAC}#k=1"))
    assert f"REQUEST_RAW_QUERY=mac={MAC}\n" in response["body"]


@policy(token=True)
def test_base_is_the_https_address_of_the_distribution(server: Server) -> None:
    script = server.app.handle(event("/ipxe", f"mac={MAC}"))
    assert f"\nset base https://{DOOR}/\n" in script["body"]


@policy(from_networks=(f"{VIEWER}/128",))
def test_viewer_is_the_client(server: Server) -> None:
    """X-Forwarded-For begins with the client's own word, and ends with an address of CloudFront's."""
    allowed = server.app.handle(event("/generic", f"mac={MAC}"))
    assert (200, VIEWER) == (allowed["statusCode"], server.line["client"])
    refused = server.app.handle(event("/generic", f"mac={MAC}", x_boot_viewer=HOME))
    assert (403, HOME) == (refused["statusCode"], server.line["client"])


@policy(from_networks=("0.0.0.0/0",))
def test_event_without_a_viewer_has_no_client(server: Server) -> None:
    """Somebody invoked the function URL himself, with permissions that he has."""
    given = event("/generic", f"mac={MAC}")
    del given["headers"]["x-boot-viewer"]
    assert 403 == server.app.handle(given)["statusCode"]
    assert "" == server.line["client"]


@policy(token=True)
def test_balancer_does_not_trust_these_headers(server: Server) -> None:
    given = balancer_event("ipxe-by-mac")
    given["multiValueQueryStringParameters"]["mac"] = [MAC]
    given["multiValueHeaders"] |= {"x-boot-viewer": [VIEWER], "x-boot-host": [DOOR]}
    script = server.app.handle(given)
    assert f"set base http://{given['multiValueHeaders']['host'][0]}/\n" in script["body"]
    assert alb.request_from(given).client_address == server.line["client"] != VIEWER


@pytest.mark.parametrize("server", [None], indirect=True)
@pytest.mark.parametrize(
    "path", ["/", "/ipxe", "/generic", "/assets/k", "/assets/", "/nothing", "/assets", "/metadata"]
)
def test_no_response_is_cached(server: Server, path: str) -> None:
    response = server.app.handle(event(path, f"mac={MAC}"))
    assert "no-store" == response["headers"]["cache-control"]
    assert {"statusCode", "headers", "body", "isBase64Encoded"} == set(response)
    json.dumps(response)


@pytest.mark.parametrize("server", [None], indirect=True)
def test_both_doors_give_the_same_response(server: Server) -> None:
    given = balancer_event("ipxe-by-mac")
    given["multiValueQueryStringParameters"] = {"mac": [MAC]}
    for path in ("/ipxe", "/grub", "/generic", "/ignition", "/metadata", "/assets/k", "/assets/", "/nothing"):
        of_balancer = server.app.handle({**given, "path": path})
        response = server.app.handle(event(path, f"mac={MAC}"))
        assert of_balancer["body"] == response["body"]
        headers = {name: [value] for name, value in response["headers"].items() if name != "cache-control"}
        assert (of_balancer["statusCode"], of_balancer["multiValueHeaders"]) == (response["statusCode"], headers)


@pytest.mark.parametrize("server", [None], indirect=True)
def test_bytes_travel_in_base64(server: Server) -> None:
    server.catalog.templates["generic", "g"] = b"\xff\x00"
    response = server.app.handle(event("/generic", f"mac={MAC}"))
    assert (True, b"\xff\x00") == (response["isBase64Encoded"], b64decode(response["body"]))


@pytest.mark.parametrize("server", [Policy(once=True)], indirect=True)
def test_head_delivers_nothing(server: Server) -> None:
    response = server.app.handle(event("/generic", f"mac={MAC}", "HEAD"))
    assert (200, "", None) == (response["statusCode"], response["body"], server.state)
