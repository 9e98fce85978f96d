"""Hostile requests as events of the balancer, and the properties of every response to them."""

import io
import json
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger
from hypothesis import strategies as st

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import NetBoot, Profile
from lambda_matchbox.web.alb import BODY_LIMIT
from lambda_matchbox.web.app import App
from tests.support.memory_catalog import MemoryCatalog

SECRET = b"what nobody may read"

# Any text, any bytes as the balancer or a front end may hand them over, and what paths are made of.
BYTES = st.binary(max_size=12)
TEXT = st.one_of(
    st.text(st.characters(), max_size=12),
    BYTES.map(lambda octets: octets.decode("utf-8", "surrogateescape")),
    BYTES.map(lambda octets: octets.decode("latin-1")),
    BYTES.map(lambda octets: "".join(f"%{octet:02x}" for octet in octets)),
)
PIECES = st.sampled_from(
    [
        "/", "//", "..", ".", "%2e%2e", "%2f", "%5c", "%00", "%0d%0a", "%zz", "\r\n", "\\", "?", "#", "&", ";",
        "=", "+", ".sig", ".asc",
        "/assets/", "/profiles/", "/generic", "/cloud", "/ignition", "/metadata", "/ipxe", "/grub",
        "secret", "small", "large", "dir", "index.html", "mac", "os", "a", "${uuid}", "52:54:00:a1:9c:ae",
    ]
)  # fmt: skip
PATHS = st.lists(PIECES | TEXT, max_size=6).map("".join)
ROOTED_PATHS = st.one_of(PATHS, PATHS.map(lambda path: f"/{path}"), PATHS.map(lambda path: f"/assets/{path}"))
VALUES = st.lists(PIECES | TEXT, max_size=3).map("".join)
QUERIES = st.dictionaries(VALUES, st.lists(VALUES, max_size=3), max_size=4)
NAMES = st.sampled_from(
    ["host", "Host", "range", "Range", "if-range", "if-match", "If-None-Match", "if-modified-since", "user-agent",
     "x-forwarded-proto", "x-forwarded-for", "content-length"]
) | TEXT  # fmt: skip
RANGES = st.lists(st.sampled_from(["bytes=", "0-", "-1", "5-9", ",", "-", "9999999999999999999", " ", "x"])).map(
    "".join
)
AGENTS = st.sampled_from(["curl/8", "GRUB 2.06", "iPXE/1.0.0+git", "iPXE/1.21.1+ (g1)", "iPXE/9.9.9", "iPXE/\r\n"])
HEADERS = st.dictionaries(NAMES, st.lists(VALUES | RANGES | AGENTS, max_size=2), max_size=5)
METHODS = st.sampled_from(["GET", "HEAD", "POST", "CONNECT", "OPTIONS", "get"]) | TEXT


def catalog() -> MemoryCatalog:
    """Groups for every kind of response, whose templates write the request."""
    profiles = [
        Profile("p", "", "i.yaml", "c", "g", NetBoot("/assets/small", ("/assets/large",), ("a=${b}",))),
        Profile("q", ignition_id="i.ign"),
        Profile("\udcff\ud800", boot=NetBoot("\udcff\ud800")),
    ]
    groups = [
        Group("all", profile="p", metadata={"key": [1, None, {"a": "\udcff"}]}),
        Group("os", profile="q", selector={"os": "a"}),
        Group("odd", profile="\udcff\ud800", selector={"a": ""}),
        Group("absent", profile="absent", selector={"mac": "52:54:00:a1:9c:ae"}),
    ]
    templates = {
        ("generic", "g"): b"{{.request.raw_query}} {{.request.query}} {{.key}}",
        ("cloud", "c"): b"#!/bin/sh\n{{.request.raw_query}}",
        ("ignition", "i.yaml"): b"a: b\n",
        ("ignition", "i.ign"): b'{"ignition": {"version": "2.2.0"}}',
    }
    return MemoryCatalog(groups, profiles, templates)


def filled(root: Path) -> Path:
    """The assets' directory of a data directory with a secret."""
    (root / "secret").write_bytes(SECRET)
    (root / "secret.large").write_bytes(SECRET.ljust(BODY_LIMIT + 1))
    inside = root / "assets"
    (inside / "dir").mkdir(parents=True)
    (inside / "small").write_bytes(b"small")
    (inside / "large").write_bytes(bytes(BODY_LIMIT + 1))
    (inside / "dir" / "index.html").write_bytes(b"<p>")
    (inside / "%2e%2e").write_bytes(b"odd")
    return inside


def quiet() -> Logger:
    """A log as the function writes it, discarded."""
    return Logger(service="hostile_requests", stream=io.StringIO())


def event(
    method: str, path: str, query: dict[str, list[str]] | None = None, headers: dict[str, list[str]] | None = None
) -> dict[str, Any]:
    """The balancer's event with multi-value headers."""
    return {
        "requestContext": {"elb": {"targetGroupArn": "x"}},
        "httpMethod": method,
        "path": path,
        "multiValueQueryStringParameters": query or {},
        "multiValueHeaders": headers or {},
        "body": "",
        "isBase64Encoded": False,
    }


def payload(method: str, path: str, raw_query: str, headers: dict[str, str]) -> dict[str, Any]:
    """The function URL's event."""
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": raw_query,
        "headers": headers,
        "requestContext": {"http": {"method": method, "path": path}},
        "isBase64Encoded": False,
    }


def handled(app: App, given: dict[str, Any]) -> dict[str, Any]:
    """The response: no exception, no 5xx, no header that ends a line, and JSON that can be sent."""
    response = app.handle(given)
    assert 200 <= response["statusCode"] < 500
    json.dumps(response)
    headers = response.get("headers") or {name: values[0] for name, values in response["multiValueHeaders"].items()}
    assert [] == [name for name, value in headers.items() if "\r" in value or "\n" in value]
    return response
