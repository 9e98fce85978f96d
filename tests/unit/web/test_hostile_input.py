"""Hostile requests: each gets a valid response that shows nothing outside the assets."""

from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lambda_matchbox.assets.file_server import Delivery
from lambda_matchbox.web import alb, function_url
from lambda_matchbox.web.alb import BODY_LIMIT
from lambda_matchbox.web.app import App
from lambda_matchbox.web.routes import Routes, Stores
from matchboxctl.directory.assets import AssetDirectory
from tests.support.memory_releases import MemoryReleases
from tests.support.openpgp.keys import signatures
from tests.unit.web.hostile_requests import (
    HEADERS,
    METHODS,
    NAMES,
    QUERIES,
    ROOTED_PATHS,
    SECRET,
    VALUES,
    catalog,
    event,
    filled,
    handled,
    payload,
    quiet,
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return filled(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def app(root: Path) -> App:
    stores = Stores(catalog(), AssetDirectory(root), MemoryReleases(), responses=None)
    return App(Routes(stores, Delivery(BODY_LIMIT, "boundary"), signatures("ed25519")), quiet())


def assert_in_order(app: App, root: Path, given: dict[str, Any]) -> None:
    """The response is no 5xx, can be sent, and shows nothing outside the assets."""
    response = handled(app, given)
    request = (function_url if function_url.sent(given) else alb).request_from(given)
    body = b64decode(response["body"]) if response["isBase64Encoded"] else response["body"].encode()
    assert SECRET not in body
    file = app.respond(request).file
    if file is not None:
        assert file.path.resolve().is_relative_to(root.resolve())


@given(METHODS, ROOTED_PATHS, QUERIES, HEADERS)
@example("GET", "/generic.sig", {"os": ["\udcff\r"]}, {"range": ["bytes=0-"]})
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
@example("CONNECT", "/assets/../secret.large", {}, {})
@example("GET", "//assets/%00", {}, {})
def test_any_event(
    app: App,
    root: Path,
    method: str,
    path: str,
    query: dict[str, list[str]],
    headers: dict[str, list[str]],
) -> None:
    """Any method, path, query and headers: no exception, 5xx, malformed header or secret in the response."""
    assert_in_order(app, root, event(method, path, query, headers))


@given(METHODS, ROOTED_PATHS, VALUES, st.dictionaries(NAMES | st.just("x-boot-host"), VALUES, max_size=5))
@example("GET", "/assets/large", "", {"x-boot-host": "boot.test\r\nset-cookie: a=b"})
@example("GET", "/assets\r\n", "a\r\nb=\r\n", {})
@example("CONNECT", "/assets/../secret", "", {"x-boot-viewer": "\udcff"})
def test_any_event_of_the_function_url(
    app: App, root: Path, method: str, path: str, raw_query: str, headers: dict[str, str]
) -> None:
    """The same as for the balancer's."""
    assert_in_order(app, root, payload(method, path, raw_query, headers))


@given(
    st.sampled_from(["/generic", "/cloud", "/ignition", "/metadata", "/ipxe", "/grub"]),
    QUERIES,
    HEADERS,
)
def test_any_labels(
    app: App, root: Path, path: str, query: dict[str, list[str]], headers: dict[str, list[str]]
) -> None:
    """Any labels select a group or none, and what is rendered from them can be sent."""
    assert_in_order(app, root, event("GET", path, query, headers))


@given(st.sampled_from(["/assets/small", "/assets/large", "/assets/dir/", "/assets/dir", "/assets/"]), HEADERS)
def test_any_headers_of_an_asset_request(app: App, root: Path, path: str, headers: dict[str, list[str]]) -> None:
    assert_in_order(app, root, event("GET", path, {}, headers))


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
def test_event_without_multi_values(app: App, root: Path, given_event: dict[str, Any]) -> None:
    """An event of a target group without multi-value headers, or with fields left out."""
    assert_in_order(app, root, given_event)


@pytest.mark.parametrize("path", ["../secret", "/etc/hostname", "dir/../../secret", "./../secret"])
def test_connect_stays_inside_the_assets(app: App, root: Path, path: str) -> None:
    """The path of a CONNECT is not cleaned."""
    response = app.handle(event("CONNECT", f"/assets/{path}"))
    assert 404 == response["statusCode"]


def test_symbolic_links_are_followed_anywhere(root: Path, tmp_path: Path) -> None:
    """As by matchbox: the operator made them."""
    (tmp_path / "elsewhere").write_bytes(b"shown")
    inside = tmp_path / "assets"
    inside.mkdir()
    (inside / "link").symlink_to(tmp_path / "elsewhere")
    linked = AssetDirectory(inside)
    found = linked.file("link")
    assert found is not None
    assert b"shown" == linked.read("link", 0, found.size)
