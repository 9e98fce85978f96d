"""The access log of `serve`, also of requests that do not reach the app."""

import errno
import io
import json
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from lambda_matchbox.assets.file_server import Delivery
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.web.app import App
from lambda_matchbox.web.json_log import JsonLog
from lambda_matchbox.web.routes import Routes, Stores
from matchboxctl.directory.assets import AssetDirectory
from matchboxctl.directory.served_releases import DirectoryReleases
from matchboxctl.serve.settings import HttpSettings
from tests.support.http_serving import SETTINGS, http_serving
from tests.support.memory_catalog import MemoryCatalog

pytestmark = pytest.mark.system

LIMIT = 60
KEYS = {
    *("level", "message", "timestamp", "service"),
    *("route", "method", "path", "group", "profile", "status", "milliseconds", "client", "user_agent"),
}


class Faulty(MemoryCatalog):
    """A catalog with a bug."""

    def profile(self, profile_id: str) -> Profile | None:
        raise RuntimeError("a fault of the program")


class Served(NamedTuple):
    """A server and its log."""

    port: int
    log: io.StringIO

    def send(self, head: bytes) -> bytes:
        """What the server says to a request until it closes the connection."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=LIMIT) as connection:
            connection.sendall(head)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def get(self, target: str) -> bytes:
        head = f"GET {target} HTTP/1.1\r\nHost: a\r\nUser-Agent: GRUB 2.06\r\nConnection: close\r\n\r\n"
        return self.send(head.encode())

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.getvalue().splitlines()]


@contextmanager
def served(root: Path, settings: HttpSettings = SETTINGS) -> Iterator[Served]:
    """The log is complete at the end: a request's line may be written after its response."""
    log = io.StringIO()
    stores = Stores(Faulty(), AssetDirectory(root), DirectoryReleases(root / "releases"), responses=None)
    with http_serving(App(Routes(stores, Delivery(2, "-")), JsonLog("info", log)), settings) as port:
        yield Served(port, log)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "a b").write_bytes(b"asset")
    return tmp_path


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /ipxe?key=hidden" + b"x" * 16_384, 400),
        (b"GET /ipxe?key=hidden HTTP/x\r\n\r\n", 400),
        (b"GET /ipxe?key=hidden and more HTTP/1.1\r\n\r\n", 400),
        (b"GET /ipxe?key=hidden HTTP/1.1\r\nA: " + b"x" * 16_500 + b"\r\n\r\n", 400),
        (b"GET /ipxe?key=hidden HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"GET /ipxe?key=hidden HTTP/1.1\r\nTransfer-Encoding : chunked\r\n\r\n", 400),
        (b"GET /ipxe?key=hidden HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", 400),
    ],
)
def test_refused_request_is_logged_without_its_query(root: Path, head: bytes, status: int) -> None:
    """What follows on the connection is not read as another request."""
    with served(root) as server:
        response = server.send(head + b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert response.startswith(b"HTTP/1.")
        assert str(status).encode() == response.split()[1]
        assert 1 == response.count(b"HTTP/1.")
    (line,) = server.lines()
    assert KEYS | {"reason"} == line.keys()
    assert ("WARNING", status, "", "127.0.0.1") == tuple(line[key] for key in ("level", "status", "path", "client"))
    assert "hidden" not in server.log.getvalue()


def test_unreadable_request_is_not_logged_as_the_previous_one(root: Path) -> None:
    """On a kept connection."""
    with served(root) as server, socket.create_connection(("127.0.0.1", server.port), timeout=LIMIT) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: first\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        connection.sendall(b"x" * 70_000)
        connection.recv(65536)
    assert [(200, "/", "first"), (400, "", "")] == [
        tuple(line[key] for key in ("status", "path", "user_agent")) for line in server.lines()
    ]


def test_head_that_is_too_large_is_refused_and_logged(root: Path) -> None:
    """Many small fields, none of which is too long."""
    with served(root) as server, socket.create_connection(("127.0.0.1", server.port), timeout=LIMIT) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n")
        for number in range(9):
            connection.sendall(b"H%d: %s\r\n" % (number, b"x" * 8000))
        assert b"".join(iter(lambda: connection.recv(65536), b"")).startswith(b"HTTP/1.1 431 ")
    (line,) = server.lines()
    assert {"the head of a request over 65536 bytes": 1} == line["refused"]


def test_body_is_discarded(root: Path) -> None:
    """Whatever its size, and the next request on the connection is read after it."""
    with served(root) as server:
        for framing in (
            b"Content-Length: 2000000\r\n\r\n" + b"x" * 2_000_000,
            b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
        ):
            last = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
            response = server.send(b"POST / HTTP/1.1\r\nHost: a\r\n" + framing + last)
            assert 2 == response.count(b"HTTP/1.1 200 OK")


def test_half_closed_client_gets_every_response(root: Path) -> None:
    """Then the server closes the connection as well."""
    with served(root) as server, socket.create_connection(("127.0.0.1", server.port), timeout=LIMIT) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 3)
        connection.shutdown(socket.SHUT_WR)
        assert 3 == b"".join(iter(lambda: connection.recv(65536), b"")).count(b"HTTP/1.1 200 OK")


def test_error_within_a_file_ends_the_response(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of another response follows what was sent of it."""
    send, sent = os.sendfile, list[int]()

    def failing(*given: int) -> int:
        if sent:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        sent.append(send(*given[:3], 1000))
        return sent[0]

    (root / "large").write_bytes(b"x" * 100_000)
    monkeypatch.setattr(os, "sendfile", failing)
    with served(root) as server:
        head, _, body = server.get("/assets/large").partition(b"\r\n\r\n")
    assert b"\r\nContent-Length: 100000\r\n" in head
    assert b"x" * 1000 == body
    request, fault = server.lines()
    assert (200, f"{root / 'large'} cannot be sent: Input/output error") == (request["status"], fault["message"])


def test_client_that_goes_away_is_no_error(root: Path) -> None:
    (root / "large").write_bytes(b"x" * 10_000_000)
    with served(root) as server:
        for head in (
            b"GET /assets/large HTTP/1.1\r\nHost: a\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n",
        ):
            for _ in range(20):
                with socket.create_connection(("127.0.0.1", server.port), timeout=LIMIT) as connection:
                    # A reset.
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    connection.sendall(head)
                    assert connection.recv(1)
    assert {200} == {line["status"] for line in server.lines()}


def test_server_answers_to_its_names_and_to_addresses(root: Path) -> None:
    """A page of another site whose name resolves to this server reads nothing (DNS rebinding)."""
    with served(root, SETTINGS._replace(host_names={"boot.lab.example"})) as server:
        for host, status in (
            ("boot.lab.example", 200),
            ("Boot.lab.example:8080", 200),
            ("boot.lab.example.", 200),
            ("127.0.0.1", 200),
            ("127.0.0.1:8080", 200),
            ("[::1]:8080", 200),
            ("[::1]", 200),
            ("attacker.example", 421),
            ("attacker.example:8080", 421),
            ("boot.lab.example.attacker.example", 421),
        ):
            response = server.send(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            assert f"{status}" == response.split()[1].decode()
    assert 3 == sum(line.get("reason") == "not one of --host-names" for line in server.lines())


def test_clients_own_forwarded_address_is_not_logged(root: Path) -> None:
    with served(root) as server:
        server.send(
            b"GET / HTTP/1.1\r\nX-Forwarded-For: 192.0.2.1\r\nx-forwarded-for: 192.0.2.2\r\nConnection: close\r\n\r\n"
        )
    (line,) = server.lines()
    assert line["client"] == "127.0.0.1"


def test_exception_is_logged_with_its_traceback(root: Path) -> None:
    """The request's line has the balancer's 502."""
    with served(root) as server:
        assert server.get("/profiles/p?key=hidden").startswith(b"HTTP/1.1 502 ")
    fault, request = server.lines()
    assert ("unhandled exception", "RuntimeError") == (fault["message"], fault["exception_name"])
    assert ("ERROR", 502, "/profiles/p") == tuple(request[key] for key in ("level", "status", "path"))
    assert "hidden" not in server.log.getvalue()


def test_asset_that_vanishes_is_logged(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a line after the request's; the client gets 503, and retries."""
    with served(root) as server:
        file = AssetDirectory.file

        def once(assets: AssetDirectory, path: str) -> object:
            found = file(assets, path)
            (root / "a b").unlink(missing_ok=True)
            return found

        monkeypatch.setattr(AssetDirectory, "file", once)
        assert server.get("/assets/a%20b").startswith(b"HTTP/1.1 503 ")
    request, fault = server.lines()
    assert ("INFO", "request") == (request["level"], request["message"])
    assert ("ERROR", f"{root / 'a b'} cannot be read: No such file or directory") == (fault["level"], fault["message"])
