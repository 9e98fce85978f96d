"""Whatever a request holds, it is answered in order, and nothing but the assets is ever shown."""

import io
import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from hypothesis import example, given
from hypothesis import strategies as st

from boot_api.alb import BODY_LIMIT
from boot_api.app import FRONT_HEADER, App
from boot_api.routes import Routes, Stores
from matchbox.assets import Delivery
from matchbox.groups import Group
from matchbox.memory import MemoryCatalog
from matchbox.profiles import NetBoot, Profile
from matchbox.url_path import unescape
from matchboxctl.asset_files import SIGNED, AssetDirectory

SECRET = b"what nobody may read"
ORIGIN = "http://boot.test"

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
        "=", "+",
        "/assets/", "/profiles/", "/presigned/", "/generic", "/cloud", "/ignition", "/metadata", "/ipxe", "/grub",
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
    """Groups for every kind of answer, whose templates write what the request says."""
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


@pytest.fixture(scope="module")
def assets(tmp_path_factory: pytest.TempPathFactory) -> AssetDirectory:
    root = tmp_path_factory.mktemp("data")
    (root / "secret").write_bytes(SECRET)
    (root / "secret.large").write_bytes(SECRET.ljust(BODY_LIMIT + 1))
    inside = root / "assets"
    (inside / "dir").mkdir(parents=True)
    (inside / "small").write_bytes(b"small")
    (inside / "large").write_bytes(bytes(BODY_LIMIT + 1))
    (inside / "dir" / "index.html").write_bytes(b"<p>")
    (inside / "%2e%2e").write_bytes(b"odd")
    return AssetDirectory(inside, b"key", 60, lambda: 1_700_000_000.0)


@pytest.fixture(scope="module")
def app(assets: AssetDirectory) -> App:
    routes = Routes(Stores(catalog(), assets), Delivery(BODY_LIMIT, "", "boundary"))
    return App(routes, Logger(service="test_hostile_input", stream=io.StringIO()))


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


def assert_in_order(answer: dict[str, Any], assets: AssetDirectory) -> None:
    """The answer is no failure of ours, can be sent, and shows nothing outside the assets."""
    assert 200 <= answer["statusCode"] < 500
    json.dumps(answer)
    headers = {name: values[0] for name, values in answer["multiValueHeaders"].items()}
    assert [] == [name for name, value in headers.items() if "\r" in value or "\n" in value]
    body = b64decode(answer["body"]) if answer["isBase64Encoded"] else answer["body"].encode()
    assert SECRET not in body
    for address in (headers.get("location", ""), headers.get(FRONT_HEADER, "")):
        _, signed, path = address.partition(SIGNED)
        if signed and "signature=" in path:
            shown = assets.path(unescape(path.partition("?")[0]) or "")
            assert shown.resolve().is_relative_to(assets.path("").resolve())


@given(METHODS, ROOTED_PATHS, QUERIES, HEADERS)
@example("GET", "/assets/../secret", {}, {})
@example("GET", "/assets/%2e%2e/secret", {}, {})
@example("GET", "/assets/%252e%252e/secret", {}, {})
@example("CONNECT", "/assets/../secret", {}, {})
@example("CONNECT", "/assets/dir/../../secret", {}, {"range": ["bytes=0-9"]})
@example("CONNECT", "/assets/../secret.large", {}, {"user-agent": ["GRUB 2.06"]})
@example("CONNECT", "/assets//etc/hostname", {}, {})
@example("GET", "/assets/large", {}, {"host": ["boot.test\r\nset-cookie: a=b"]})
@example("GET", "/assets/large", {}, {"host": ["boot.test"], "x-forwarded-proto": ["http\r\n\r\n"]})
@example("GET", "/assets\r\n", {"a\r\nb": ["\r\n"]}, {})
def test_any_event(
    app: App,
    assets: AssetDirectory,
    method: str,
    path: str,
    query: dict[str, list[str]],
    headers: dict[str, list[str]],
) -> None:
    """Any method, path, query and headers are answered without an exception, a 5xx, a broken header or a secret."""
    assert_in_order(app.handle(event(method, path, query, headers)), assets)


@given(
    st.sampled_from(["/generic", "/cloud", "/ignition", "/metadata", "/ipxe", "/grub"]),
    QUERIES,
    HEADERS,
)
def test_any_labels(
    app: App, assets: AssetDirectory, path: str, query: dict[str, list[str]], headers: dict[str, list[str]]
) -> None:
    """Any labels choose a group or none, and what is rendered from them can be sent."""
    assert_in_order(app.handle(event("GET", path, query, headers)), assets)


@given(st.sampled_from(["/assets/small", "/assets/large", "/assets/dir/", "/assets/dir", "/assets/"]), HEADERS)
def test_any_headers(app: App, assets: AssetDirectory, path: str, headers: dict[str, list[str]]) -> None:
    """Any headers with a request for an asset are answered."""
    assert_in_order(app.handle(event("GET", path, {}, headers)), assets)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "httpMethod": METHODS | st.none(),
            "path": ROOTED_PATHS | st.none(),
            "queryStringParameters": st.dictionaries(VALUES, VALUES, max_size=3) | st.none(),
            "headers": st.dictionaries(NAMES, VALUES, max_size=3) | st.none(),
        },
    )
)
def test_event_without_multi_values(app: App, assets: AssetDirectory, given_event: dict[str, Any]) -> None:
    """An event of a target group without multi-value headers, or with fields left out, is answered too."""
    assert_in_order(app.handle(given_event), assets)


@pytest.mark.parametrize("path", ["../secret", "/etc/hostname", "dir/../../secret", "./../secret"])
def test_connect_stays_inside(app: App, assets: AssetDirectory, path: str) -> None:
    """A CONNECT, whose path nobody cleans, finds no file outside the assets."""
    answer = app.handle(event("CONNECT", f"/assets/{path}"))
    assert 404 == answer["statusCode"]


def test_links_are_the_operators(assets: AssetDirectory, tmp_path: Path) -> None:
    """A symbolic link that the operator made is followed wherever it leads, as by matchbox."""
    (tmp_path / "elsewhere").write_bytes(b"shown")
    inside = tmp_path / "assets"
    inside.mkdir()
    (inside / "link").symlink_to(tmp_path / "elsewhere")
    linked = AssetDirectory(inside, b"key", 60)
    found = linked.file("link")
    assert found is not None
    assert b"shown" == linked.read("link", 0, found.size)
