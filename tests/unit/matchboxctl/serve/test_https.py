"""https of `serve`, in place of http or beside it."""

import http.client
import io
import json
import os
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from lambda_matchbox.assets.file_server import Delivery
from lambda_matchbox.web.app import App
from lambda_matchbox.web.json_log import JsonLog
from lambda_matchbox.web.routes import Routes, Stores
from matchboxctl.directory.assets import AssetDirectory
from matchboxctl.directory.served_releases import DirectoryReleases
from matchboxctl.main import main
from matchboxctl.serve import connections, http_server
from matchboxctl.serve.certificate import Certificate, CertificateFiles
from matchboxctl.serve.settings import HttpSettings
from tests.support.certificates import Authority
from tests.support.http_serving import SETTINGS, http_serving
from tests.support.memory_catalog import MemoryCatalog
from tests.support.serving import LIMIT, Reply, Serve, started

pytestmark = pytest.mark.system

AUTHORITY = Authority()
LARGE = os.urandom(3_000_000)


class Client(NamedTuple):
    """A TLS client of a port of 127.0.0.1."""

    port: int

    def connect(self) -> ssl.SSLSocket:
        context = ssl.create_default_context(cadata=AUTHORITY.certificate.decode())
        return context.wrap_socket(
            socket.create_connection(("127.0.0.1", self.port), timeout=LIMIT), server_hostname="127.0.0.1"
        )

    def send(self, target: str, method: str = "GET", **headers: str) -> Reply:
        with self.connect() as connection:
            fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            connection.sendall(f"{method} {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{fields}\r\n".encode())
            response = http.client.HTTPResponse(connection, method=method)
            response.begin()
            return Reply(
                response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
            )

    def serial(self) -> int:
        """Of the server's certificate."""
        with self.connect() as connection:
            found = connection.getpeercert()
            assert found
            return int(str(found["serialNumber"]), 16)


@pytest.fixture
def files(tmp_path: Path) -> CertificateFiles:
    made = CertificateFiles(tmp_path / "server.crt", tmp_path / "server.key")
    renew(made)
    return made


def renew(files: CertificateFiles) -> None:
    issued = AUTHORITY.issue("boot.test", ["127.0.0.1"])
    files.certificate.write_bytes(issued.certificate)
    files.key.write_bytes(issued.key)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data" / "assets").mkdir(parents=True)
    (tmp_path / "data" / "assets" / "large.img").write_bytes(LARGE)
    (tmp_path / "data" / "assets" / "small.txt").write_bytes(b"small")
    return tmp_path / "data"


@contextmanager
def https_beside(data: Path, files: CertificateFiles) -> Iterator[tuple[Serve, Client]]:
    """Two processes."""
    flags = ("--address", "127.0.0.1:0", "--https-address", "127.0.0.1:0", "--data-path", str(data))
    named = ("-web-cert-file", str(files.certificate), f"-web-key-file={files.key}")
    with started(*flags, *named, "--processes", "2") as running:
        deadline = time.monotonic() + LIMIT
        while not (found := [line for line in running.startup_banner if "https://" in line]):
            assert time.monotonic() < deadline
        yield running, Client(int(found[0].rpartition(":")[2]))


def test_https_is_served_beside_http(data: Path, files: CertificateFiles) -> None:
    """By each process: connections are divided among them."""
    with https_beside(data, files) as (running, client):
        for _ in range(24):
            assert (200, b"matchbox\n") == client.send("/")[::2]
        for large in (client.send("/assets/large.img"), running.send("/assets/large.img")):
            assert (200, LARGE, "application/octet-stream") == (large.status, large.body, large.headers["content-type"])
        head = client.send("/assets/large.img", "HEAD")
        assert (200, b"", "3000000") == (head.status, head.body, head.headers["content-length"])
        part = client.send("/assets/large.img", Range="bytes=1000000-2999999")
        assert (206, LARGE[1_000_000:]) == (part.status, part.body)
        assert "bytes 1000000-2999999/3000000" == part.headers["content-range"]
        assert b"small" == client.send("/assets/small.txt").body
        with client.connect() as idle:
            running.end()
            assert b"" == idle.recv(1)
        assert [] == [line for line in running.errors if json.loads(line)["message"] != "request"]


def test_renewed_certificate_is_served_without_a_restart(data: Path, files: CertificateFiles) -> None:
    """By each process, while earlier connections go on."""
    with https_beside(data, files) as (_, client), client.connect() as earlier:
        former = client.serial()
        renew(files)
        deadline = time.monotonic() + LIMIT
        while former in {client.serial() for _ in range(16)}:
            assert time.monotonic() < deadline
        earlier.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert earlier.recv(100).startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize("way", ["flag", "variable"])
def test_https_takes_the_place_of_http(data: Path, files: CertificateFiles, way: str) -> None:
    """With matchbox's flags, and its variables."""
    flags = ["--address", "127.0.0.1:0", "--data-path", str(data)]
    named = {"MATCHBOX_WEB_CERT_FILE": str(files.certificate), "MATCHBOX_WEB_KEY_FILE": str(files.key)}
    if way == "variable":
        named["MATCHBOX_WEB_SSL"] = "true"
    else:
        flags.append("-web-ssl")
    with started(*flags, environment=os.environ | named, tls=AUTHORITY.certificate) as running:
        assert (200, b"small") == running.send("/assets/small.txt")[::2]
        with socket.create_connection(("127.0.0.1", running.port), timeout=LIMIT) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert not received(plain).startswith(b"H")
        text = "\n".join(running.startup_banner)
        assert f"listening on https://127.0.0.1:{running.port}" in text
        assert f"curl 'https://127.0.0.1:{running.port}/boot.ipxe'" in text
        assert f":{running.port}/boot.ipxe" in text.partition("dhcp-boot=tag:ipxe,https://")[2]


def test_contradicting_flags_are_refused(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def refused(*flags: str) -> str:
        assert 2 == main(["serve", "--address", "127.0.0.1:0", "--data-path", str(data), *flags])
        return capsys.readouterr().err

    line = refused("--web-ssl", "--https-address", "127.0.0.1:0")
    assert "--web-ssl serves https in place of http, and --https-address beside it: use one of them" in line
    assert "server.crt cannot be read" in refused("--web-ssl", "--web-cert-file", "/nowhere/server.crt")
    assert "'maybe' is neither true nor false" in refused("--web-ssl=maybe")


class Served(NamedTuple):
    """A server in a thread of the test, and its log."""

    client: Client
    log: io.StringIO


@contextmanager
def served(data: Path, files: CertificateFiles, settings: HttpSettings = SETTINGS) -> Iterator[Served]:
    log = io.StringIO()
    stores = Stores(
        MemoryCatalog(), AssetDirectory(data / "assets"), DirectoryReleases(data / "releases"), responses=None
    )
    app = App(Routes(stores, Delivery(2, "-")), JsonLog("info", log))
    with http_serving(app, settings, certificate=Certificate(files)) as port:
        yield Served(Client(port), log)


def test_connection_without_a_handshake_is_closed(
    data: Path, files: CertificateFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits as long as one without a request's head; so does one that goes on after its handshake."""
    monkeypatch.setattr(connections, "_WAITING_SECONDS", 0.1)
    monkeypatch.setattr(http_server, "_SWEEP_INTERVAL", 0.1)
    with served(data, files) as server:
        with socket.create_connection(("127.0.0.1", server.client.port), timeout=LIMIT) as silent:
            assert b"" == received(silent)
        with socket.create_connection(("127.0.0.1", server.client.port), timeout=LIMIT) as partial:
            # The beginning of a ClientHello.
            partial.sendall(b"\x16\x03\x01\x02\x00\x01")
            assert b"" == received(partial)
        with server.client.connect() as idle:
            assert b"" == received(idle)
    assert "" == server.log.getvalue()


def received(connection: socket.socket) -> bytes:
    with suppress(ConnectionError, ssl.SSLEOFError):
        return connection.recv(1)
    return b""


def test_connections_count_before_their_handshake(data: Path, files: CertificateFiles) -> None:
    limits = SETTINGS._replace(connections_per_address=2)
    with served(data, files, limits) as server:
        opened = [socket.create_connection(("127.0.0.1", server.client.port), timeout=LIMIT) for _ in range(3)]
        assert b"" == received(opened[2])
        for one in opened:
            one.close()
        deadline = time.monotonic() + LIMIT
        while True:
            # They count until the server has seen their ends.
            with suppress(OSError):
                assert 200 == server.client.send("/").status
                break
            assert time.monotonic() < deadline
    assert "over 2 connections from one address" in server.log.getvalue()


def test_oldest_connection_without_a_handshake_makes_room(data: Path, files: CertificateFiles) -> None:
    with served(data, files, SETTINGS._replace(connections=2)) as server:
        silent = [socket.create_connection(("127.0.0.1", server.client.port), timeout=LIMIT) for _ in range(2)]
        assert 200 == server.client.send("/").status
        assert b"" == received(silent[0])
        for one in silent:
            one.close()


def test_client_that_speaks_no_tls_is_no_error(
    data: Path, files: CertificateFiles, caplog: pytest.LogCaptureFixture
) -> None:
    with served(data, files) as server:
        with socket.create_connection(("127.0.0.1", server.client.port), timeout=LIMIT) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert not received(plain).startswith(b"H")
        assert 200 == server.client.send("/").status
    assert 1 == server.log.getvalue().count("\n")
    assert [] == caplog.records


@pytest.mark.parametrize("end", ["reset", "half"])
def test_client_that_goes_away_during_a_download_is_no_error(
    data: Path, files: CertificateFiles, caplog: pytest.LogCaptureFixture, end: str
) -> None:
    """A client that closes its half without TLS's own end has gone as well."""
    with served(data, files) as server:
        for _ in range(5):
            connection = server.client.connect()
            connection.sendall(b"GET /assets/large.img HTTP/1.1\r\nHost: a\r\n\r\n")
            assert connection.recv(1)
            if end == "half":
                with socket.socket(fileno=os.dup(connection.fileno())) as below:
                    below.shutdown(socket.SHUT_WR)
                with suppress(OSError):
                    while connection.recv(65536):
                        pass
            connection.close()
        assert 200 == server.client.send("/").status
    assert {200} == {json.loads(line).get("status") for line in server.log.getvalue().splitlines()}
    assert [] == caplog.records
