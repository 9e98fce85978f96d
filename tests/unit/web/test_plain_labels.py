"""No query adds a line to a response, and the log names the labels that are left out for it."""

import io
import json
import shlex
from base64 import b64decode
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote_plus

import pytest
import yaml
from aws_lambda_powertools import Logger
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.assets.file_server import Delivery
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import NetBoot, Profile
from lambda_matchbox.gotemplate.engine import render
from lambda_matchbox.web.alb import BODY_LIMIT
from lambda_matchbox.web.app import App
from lambda_matchbox.web.routes import Routes, Stores
from matchboxctl.directory.assets import AssetDirectory
from tests.support.memory_catalog import MemoryCatalog
from tests.support.memory_releases import MemoryReleases
from tests.support.openpgp.keys import signatures
from tests.unit.web.hostile_requests import event

CONTROLS = [*map(chr, range(0x20)), "\x7f", *map(chr, range(0x80, 0xA0)), "\u2028", "\u2029"]
TEMPLATE = b"{{range $key, $value := .request.query}}{{$key}}={{$value}};{{end}}{{.request.raw_query}}"


class Server:
    """boot_api over one group and others, with the lines that it logs."""

    def __init__(self, root: Path, others: list[Group]) -> None:
        catalog = MemoryCatalog(
            [Group("chosen", profile="p", selector={"os": "a"}), *others],
            [Profile("p", generic_id="t", boot=NetBoot("/k"))],
            {("generic", "t"): TEMPLATE},
        )
        self._log = io.StringIO()
        stores = Stores(catalog, AssetDirectory(root), MemoryReleases(), responses=None)
        routes = Routes(stores, Delivery(BODY_LIMIT, "-"), signatures("ed25519"))
        self._app = App(routes, Logger(service=str(root), stream=self._log))

    def body(self, path: str, query: dict[str, str]) -> bytes:
        """The body for a query whose keys and values are encoded already."""
        response = self._app.handle(event("GET", path, {key: [value] for key, value in query.items()}))
        return b64decode(response["body"]) if response["isBase64Encoded"] else response["body"].encode()

    def line(self) -> dict[str, Any]:
        """The last line of the log."""
        line: dict[str, Any] = json.loads(self._log.getvalue().splitlines()[-1])
        return line


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Server:
    return Server(tmp_path_factory.mktemp("assets"), [Group("all", profile="p")])


@pytest.mark.parametrize("character", CONTROLS)
def test_a_label_with_a_control_character_is_absent(server: Server, character: str) -> None:
    for key, value in (("os", f"a{character}"), (f"os{character}", "a")):
        query = {quote(key): quote(value), "b": "c"}
        raw = "&".join(f"{name}={one}" for name, one in query.items())
        assert f"REQUEST_QUERY_B=c\nREQUEST_RAW_QUERY={raw}\n".encode() == server.body("/metadata", query)
        assert f"b=c;{raw}".encode() == server.body("/generic", query)
        assert ("all", [quote(key)]) == (server.line()["group"], server.line()["ignored_labels"])


@pytest.mark.parametrize(("text", "is_kept"), [("x" * 255, True), ("x" * 256, False), ("ü" * 128, False)])
def test_a_label_has_255_bytes_at_most(server: Server, text: str, is_kept: bool) -> None:
    encoded = quote(text)
    assert is_kept == (f"k={text};".encode() in server.body("/generic", {"k": encoded}))
    assert is_kept == ("ignored_labels" not in server.line())
    assert is_kept == (f"{text}=v;".encode() in server.body("/generic", {encoded: "v"}))


def test_halves_of_a_character_are_no_labels(server: Server) -> None:
    """Side by side in a template they would be a control character."""
    assert b"a=%C2&b=%85" == server.body("/generic", {"a": "%C2", "b": "%85"})
    assert ["a", "b"] == server.line()["ignored_labels"]


def test_a_raw_query_with_control_characters_is_encoded(server: Server) -> None:
    """Some front end may decode it, and U+2028 and U+0085 are bytes that a request line may have."""
    assert b"k=a%0Ab%E2%80%A8c%C2%85d" == server.body("/generic", {"k": "a\nb\u2028c\x85d"})


def test_the_log_names_few_labels_and_no_value(server: Server) -> None:
    query = {f"{'n' * 100}{number}%0A": "hidden" for number in range(30)} | {"%E2%80%A8%FF": "hidden"}
    server.body("/ipxe", query)
    line = server.line()
    assert ["n" * 64] * 10 + ["and 21 more"] == line["ignored_labels"]
    assert "hidden" not in json.dumps(line)
    server.body("/ipxe", {"%E2%80%A8%FF": "hidden"})
    assert ["%E2%80%A8%FF"] == server.line()["ignored_labels"]


def test_a_request_without_a_group_names_them(tmp_path: Path) -> None:
    server = Server(tmp_path, [])
    server.body("/profiles/p", {"a": "%0A"})
    assert "ignored_labels" not in server.line()
    server.body("/ipxe.sig", {"a": "%0A"})
    assert (404, ["a"]) == (server.line()["status"], server.line()["ignored_labels"])


PIECES = st.text(max_size=8).map(quote) | st.sampled_from(
    ["%0A", "%0D", "%85", "%C2", "%E2%80", "%A8", "\n", "\x85", "="]
)


@given(st.dictionaries(st.lists(PIECES, max_size=4).map("".join), st.lists(PIECES, max_size=4).map("".join)))
def test_metadata_has_a_line_for_each_label(server: Server, query: dict[str, str]) -> None:
    lines = server.body("/metadata", query).decode().splitlines()
    assert len(lines) <= 1 + len(query)
    assert all(line.startswith("REQUEST_") for line in lines)


PLAIN = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=20)


@given(PLAIN | st.lists(st.sampled_from(["'", '"', "\\", "\\'", ": ", " #", "{", "$(a)", "`", "%0A"])).map("".join))
def test_documented_forms_keep_any_value(value: str) -> None:
    """As docs/http-api.md says for YAML, JSON, a shell and an address."""

    def rendered(source: str) -> str:
        return render(source.encode(), {"value": value}, name="t").decode()

    assert {"a": [f"node-{value}", {"b": value}]} == yaml.safe_load(
        rendered('a: [{{printf "node-%s" .value | quote}}, {b: {{.value | quote}}}]')
    )
    assert value == json.loads(rendered("{{.value | toJson}}"))
    assert [value, "x"] == shlex.split(rendered("""'{{.value | replace "'" "'\\\\''"}}' x"""))
    assert value == unquote_plus(rendered("{{.value | urlquery}}"))
