"""Signature routes."""

import io
import json
import subprocess
import sys
from base64 import b64decode
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from lambda_matchbox.assets.file_server import Delivery
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import NetBoot, Profile
from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.web.app import App
from lambda_matchbox.web.json_log import JsonLog
from lambda_matchbox.web.routes import Routes, Stores
from lambda_matchbox.web.signatures import SIGNED, Signatures
from matchboxctl.directory.assets import AssetDirectory
from tests.support.memory_catalog import MemoryCatalog
from tests.support.memory_releases import MemoryReleases
from tests.support.openpgp.independent import TEXT, is_signed, kind_of
from tests.support.openpgp.keys import signatures
from tests.unit.web.hostile_requests import event, quiet

LIMIT = 2_000
TEMPLATE = b"of {{.request.raw_query}}  \nand\r\nno end"
LONG = b"long\n" * LIMIT


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Elsewhere:
    """A response store that records the bodies."""

    def __init__(self) -> None:
        self.kept: list[bytes] = []

    def put(self, body: bytes, content_type: str, origin: str) -> str:
        self.kept.append(body)
        return "http://elsewhere.test/response"


class Server:
    """boot_api over some machines, with or without a key."""

    def __init__(self, root: Path, signatures: Signatures | None) -> None:
        self.responses = Elsewhere()
        assets = AssetDirectory(root)
        stores = Stores(catalog(), assets, MemoryReleases(), self.responses)
        self._app = App(Routes(stores, Delivery(LIMIT, "-"), signatures), quiet())

    def send(self, path: str, method: str = "GET", headers: dict[str, str] | None = None, **query: str) -> Reply:
        labels = {name: [value] for name, value in query.items()}
        given = {name: [value] for name, value in (headers or {}).items()}
        response: dict[str, Any] = self._app.handle(event(method, path, labels, given))
        body = b64decode(response["body"]) if response["isBase64Encoded"] else response["body"].encode()
        return Reply(response["statusCode"], {k: v for k, [v] in response["multiValueHeaders"].items()}, body)


def catalog() -> MemoryCatalog:
    boot = NetBoot("/assets/vmlinuz", ("/assets/initramfs",), ("console=ttyS0",))
    profiles = [
        Profile("all", "", "i.ign", "c", "g", boot),
        Profile("long", "", "l.yaml", "l", "l", NetBoot("/assets/vmlinuz", args=("x" * LIMIT,))),
        Profile("bytes", generic_id="b"),
        Profile("broken", generic_id="broken"),
    ]
    groups = [Group(each.id, profile=each.id, selector={"of": each.id}, metadata={"a": "b"}) for each in profiles]
    templates = {
        ("generic", "g"): TEMPLATE,
        ("cloud", "c"): b"#!/bin/sh\necho hello \n",
        ("ignition", "i.ign"): b'{"ignition": {"version": "3.3.0"}}',
        ("generic", "l"): LONG,
        ("cloud", "l"): b"#!/bin/sh\n" + LONG,
        ("ignition", "l.yaml"): b"a: |\n" + b"  long\n" * LIMIT,
        ("generic", "b"): bytes(range(256)),
        ("generic", "broken"): b"{{.absent}}",
    }
    return MemoryCatalog(groups, profiles, templates)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    assets = tmp_path_factory.mktemp("assets")
    (assets / "vmlinuz.sig").write_bytes(b"the operator's")
    return assets


@pytest.fixture
def server(root: Path) -> Server:
    return Server(root, signatures("rsa"))


@pytest.fixture
def without_key(root: Path) -> Server:
    return Server(root, None)


def test_signature_routes_are_those_of_matchbox() -> None:
    """Of v0.11.0."""
    names = ["boot.ipxe", "boot.ipxe.0", "cloud", "generic", "grub", "ignition", "ipxe", "metadata"]
    assert names == sorted(route.removeprefix("/") for route in SIGNED)


@pytest.mark.parametrize("route", sorted(SIGNED))
def test_signature_is_of_the_routes_body(server: Server, route: str) -> None:
    """As text, with the content types that Go sniffs."""
    query = {"of": "all", "mac": "52-54-00-00-00-07"}
    plain, binary, armored = (server.send(route + suffix, **query) for suffix in ("", ".sig", ".asc"))
    assert [200] * 3 == [plain.status, binary.status, armored.status]
    for signature in (binary, armored):
        assert (TEXT, True) == (kind_of(signature.body), is_signed(signature.body, plain.body))
        assert str(len(signature.body)) == signature.headers["content-length"]
    types = [signature.headers["content-type"] for signature in (binary, armored)]
    assert ["application/octet-stream", "text/plain; charset=utf-8"] == types
    assert armored.body.startswith(b"-----BEGIN PGP SIGNATURE-----\n")


def test_signature_is_of_the_machines_own_response(server: Server) -> None:
    first, second = (server.send("/generic", of="all", mac=f"52-54-00-00-00-0{number}") for number in (1, 2))
    signature = server.send("/generic.sig", of="all", mac="52-54-00-00-00-01")
    assert [True, False] == [is_signed(signature.body, each.body) for each in (first, second)]


def test_binary_response_is_signed(server: Server) -> None:
    plain, signature = (server.send(path, of="bytes") for path in ("/generic", "/generic.sig"))
    assert (bytes(range(256)), True) == (plain.body, is_signed(signature.body, plain.body))


@pytest.mark.parametrize("route", ["/generic", "/cloud", "/ignition"])
@pytest.mark.parametrize("agent", ["curl/8.5.0", "GRUB 2.06"])
def test_long_response_is_signed_in_place(server: Server, route: str, agent: str) -> None:
    """Nothing is stored for its signature."""
    plain = server.send(route, of="long")
    assert (302, 1) == (plain.status, len(server.responses.kept))
    signature = server.send(f"{route}.sig", headers={"user-agent": agent}, of="long")
    assert (200, True) == (signature.status, is_signed(signature.body, server.responses.kept[0]))
    assert len(server.responses.kept) == 1


@pytest.mark.parametrize("suffix", [".sig", ".asc"])
@pytest.mark.parametrize(
    ("route", "of", "status"),
    [
        ("/ipxe", "nobody", 404),
        ("/metadata", "nobody", 404),
        ("/ignition", "bytes", 404),
        ("/generic", "broken", 500),
        ("/ipxe", "long", 500),
        ("/grub", "long", 500),
    ],
)
def test_signature_route_has_the_errors_of_its_route(
    server: Server, route: str, of: str, status: int, suffix: str
) -> None:
    plain, signature = (server.send(path, of=of) for path in (route, route + suffix))
    assert (status, plain) == (signature.status, signature)


def test_signature_route_is_503_when_stores_are_unavailable(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:

    def select(*_: object) -> None:
        raise StoreUnavailableError("away")

    monkeypatch.setattr(MemoryCatalog, "select", select)
    response = Server(root, signatures("rsa")).send("/ipxe.sig")
    assert (503, True) == (response.status, "retry-after" in response.headers)


@pytest.mark.parametrize("method", ["HEAD", "POST"])
def test_any_method_reads_a_signature(server: Server, method: str) -> None:
    """HEAD has its length; the front end drops the body."""
    plain, signature = server.send("/ipxe", of="all"), server.send("/ipxe.asc", method, of="all")
    assert (200, True) == (signature.status, is_signed(signature.body, plain.body))


def test_signature_ignores_range(server: Server) -> None:
    plain = server.send("/generic", of="all")
    signature = server.send("/generic.sig", headers={"range": "bytes=0-3"}, of="all")
    assert (200, True) == (signature.status, is_signed(signature.body, plain.body))


@pytest.mark.parametrize("path", ["/.sig", "/profiles/all.sig", "/ipxe.sig.sig", "/ipxe.SIG", "/ipxe.sig/", "/no.asc"])
def test_other_paths_have_no_signature_route(server: Server, path: str) -> None:
    assert server.send(path, of="all").status == 404


def test_asset_with_such_a_name_is_served(server: Server) -> None:
    assert server.send("/assets/vmlinuz.sig").body == b"the operator's"
    assert server.send("/assets/vmlinuz.asc").status == 404


def test_signature_route_is_redirected_to_its_clean_path(server: Server) -> None:
    response = server.send("//ipxe.sig", of="all")
    assert (301, "/ipxe.sig?of=all") == (response.status, response.headers["location"])


@pytest.mark.parametrize("route", sorted(SIGNED))
def test_no_signature_routes_without_a_key(without_key: Server, route: str) -> None:
    assert [200, 404, 404] == [without_key.send(route + suffix, of="all").status for suffix in ("", ".sig", ".asc")]


def test_log_names_the_signature_route(root: Path) -> None:
    log = io.StringIO()
    stores = Stores(catalog(), AssetDirectory(root), MemoryReleases(), Elsewhere())
    routes = Routes(stores, Delivery(LIMIT, "-"), signatures("rsa"))
    app = App(routes, JsonLog("info", log))
    for path in ("/ipxe", "/ipxe.sig", "/boot.ipxe.asc"):
        app.handle(event("GET", path, {"of": ["all"]}))
    assert ["/ipxe", "/ipxe.sig", "/boot.ipxe.asc"] == [
        json.loads(line)["route"] for line in log.getvalue().splitlines()
    ]


@pytest.mark.system
def test_boot_api_does_not_load_the_signing_library() -> None:
    """Nor what reads the secret."""
    code = "import json, sys, boot_api.handler; print(json.dumps([*sys.modules]))"
    loaded = json.loads(subprocess.check_output([sys.executable, "-c", code]))
    assert "lambda_matchbox.web.signatures" in loaded
    foreign = {"pysequoia", "cryptography", "lambda_matchbox.signing.key", "signed_api.handler"}
    assert set() == foreign & set(loaded)
