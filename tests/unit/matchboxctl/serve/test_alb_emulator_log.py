"""The access log of `serve`, also of requests that do not reach the app."""

import io
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from aws_lambda_powertools import Logger

from lambda_matchbox.assets.file_server import Delivery
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.web.app import App
from lambda_matchbox.web.routes import Routes, Stores
from matchboxctl.directory.assets import OWN, AssetDirectory, SignedAddresses
from matchboxctl.directory.releases import DirectoryReleases
from matchboxctl.serve.alb_emulator import ALBEmulator, Streams
from matchboxctl.serve.response_relay import ResponseRelay
from tests.support.memory_catalog import MemoryCatalog

pytestmark = pytest.mark.system

LIMIT = 60
KEYS = {
    *("level", "location", "message", "timestamp", "service"),
    *("route", "method", "path", "group", "profile", "status", "milliseconds", "client", "user_agent"),
}


class Faulty(MemoryCatalog):
    """A catalog with a bug."""

    def profile(self, profile_id: str) -> Profile | None:
        raise RuntimeError("a fault of the program")


class Served(NamedTuple):
    """An emulator, its assets, and its log."""

    port: int
    assets: AssetDirectory
    log: io.StringIO

    def ask(self, head: bytes) -> bytes:
        """What the server says to a request until it closes the connection."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=LIMIT) as connection:
            connection.sendall(head)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def get(self, target: str) -> bytes:
        head = f"GET {target} HTTP/1.1\r\nHost: a\r\nUser-Agent: GRUB 2.06\r\nConnection: close\r\n\r\n"
        return self.ask(head.encode())

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.getvalue().splitlines()]


@contextmanager
def served(root: Path) -> Iterator[Served]:
    """The log is complete at the end: a request's line may be written after its response."""
    addresses, log = SignedAddresses(b"key", 60), io.StringIO()
    assets, releases = AssetDirectory(root, addresses), DirectoryReleases(root / "releases", addresses)
    streams = Streams(addresses, assets, releases, ResponseRelay())
    stores = Stores(Faulty(), assets, releases, streams.responses)
    # Loggers of one name share their first stream.
    app = App(Routes(stores, Delivery(2, "-")), Logger(service=str(root), level="INFO", stream=log))
    with ALBEmulator(("127.0.0.1", 0), app, streams) as front:
        front.daemon_threads, front.block_on_close = False, True
        serving = threading.Thread(target=front.serve_forever, kwargs={"poll_interval": 0.05})
        serving.start()
        try:
            yield Served(front.server_port, assets, log)
        finally:
            front.shutdown()
            serving.join()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "a b").write_bytes(b"asset")
    return tmp_path


def test_signed_address_is_logged_without_its_signature(root: Path) -> None:
    """A refusal has the reason."""
    with served(root) as server:
        location = urlsplit(server.assets.address("a b", "http://a"))
        signed = f"{location.path}?{location.query}"
        absent = urlsplit(server.assets.address("absent", "http://a"))
        for target in (signed, location.path, f"{absent.path}?{absent.query}"):
            server.get(target)
    told = ("level", "route", "method", "path", "status", "client", "user_agent")
    same = ("127.0.0.1", "GRUB 2.06")
    assert [
        ("INFO", "/presigned/", "GET", f"/presigned/{OWN}a%20b", 200, *same),
        ("WARNING", "/presigned/", "GET", f"/presigned/{OWN}a%20b", 403, *same),
        ("WARNING", "/presigned/", "GET", f"/presigned/{OWN}absent", 404, *same),
    ] == [tuple(line[key] for key in told) for line in server.lines()]
    assert [KEYS, KEYS | {"reason"}, KEYS | {"reason"}] == [line.keys() for line in server.lines()]
    assert "signature=" not in server.log.getvalue()


@pytest.mark.parametrize(
    ("head", "status", "path"),
    [
        (b"POST /generic?key=hidden HTTP/1.1\r\nContent-Length: 1000001\r\n\r\n", 413, "/generic"),
        (b"POST /generic?key=hidden HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 413, "/generic"),
        (b"GET /ipxe?key=hidden" + b"x" * 65536, 414, ""),
        (b"GET /ipxe?key=hidden HTTP/2.0\r\n\r\n", 505, "/ipxe"),
        (b"GET /ipxe?key=hidden and more HTTP/1.1\r\n\r\n", 400, "/ipxe"),
        (b"GET /ipxe?key=hidden HTTP/1.1\r\nA: " + b"x" * 65536 + b"\r\n\r\n", 431, "/ipxe"),
    ],
)
def test_refused_request_is_logged_without_its_query(root: Path, head: bytes, status: int, path: str) -> None:
    with served(root) as server:
        assert str(status).encode() in server.ask(head)
    (line,) = server.lines()
    assert KEYS | {"reason"} == line.keys()
    assert ("WARNING", status, path, "127.0.0.1") == tuple(line[key] for key in ("level", "status", "path", "client"))
    assert "hidden" not in server.log.getvalue()


def test_clients_own_forwarded_address_is_not_logged(root: Path) -> None:
    with served(root) as server:
        server.ask(
            b"GET / HTTP/1.1\r\nX-Forwarded-For: 192.0.2.1\r\nx-forwarded-for: 192.0.2.2\r\nConnection: close\r\n\r\n"
        )
    (line,) = server.lines()
    assert line["client"] == "127.0.0.1"


def test_unreadable_request_is_not_logged_as_the_previous_one(root: Path) -> None:
    """On a kept connection."""
    with served(root) as server:
        server.ask(b"GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: first\r\n\r\n" + b"x" * 70_000)
    assert [(200, "/", "first"), (414, "", "")] == [
        tuple(line[key] for key in ("status", "path", "user_agent")) for line in server.lines()
    ]


def test_exception_is_logged_with_its_traceback(root: Path) -> None:
    """The request's line has the balancer's 502."""
    with served(root) as server:
        assert server.get("/profiles/p?key=hidden").startswith(b"HTTP/1.1 502 ")
    fault, request = server.lines()
    assert ("unhandled exception", "RuntimeError") == (fault["message"], fault["exception_name"])
    assert ("ERROR", 502, "/profiles/p") == tuple(request[key] for key in ("level", "status", "path"))
    assert "hidden" not in server.log.getvalue()


def test_asset_that_vanishes_is_logged(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a line after the request's."""
    with served(root) as server:
        file = AssetDirectory.file
        asked = list[str]()

        def once(assets: AssetDirectory, path: str) -> object:
            asked.append(path)
            found = file(assets, path)
            (root / "a b").unlink(missing_ok=True)
            return found

        monkeypatch.setattr(AssetDirectory, "file", once)
        assert server.get("/assets/a%20b").startswith(b"HTTP/1.1 404 ")
    assert ["a b", "a b"] == asked
    assert [("INFO", "request"), ("ERROR", f"no asset '{OWN}a b'")] == [
        (line["level"], line["message"]) for line in server.lines()
    ]
