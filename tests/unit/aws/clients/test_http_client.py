"""A request is answered before its deadline, or the store is away."""

import http.server
import re
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from socketserver import StreamRequestHandler, ThreadingTCPServer
from unittest.mock import patch

import pytest

from lambda_matchbox.aws.clients import errors
from lambda_matchbox.aws.clients.http_client import HttpClient
from lambda_matchbox.errors import StoreUnavailableError
from tests.support.server_threads import in_thread

pytestmark = pytest.mark.system

SOON = 0.4
"""Seconds in which a server that stays broken is given up."""

ENOUGH = 20.0
"""Seconds in which any machine gets a response."""

TOGETHER = 5
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def within(seconds: float) -> float:
    return time.monotonic() + seconds


@pytest.fixture
def http_client() -> Iterator[HttpClient]:
    with closing(HttpClient(connect_timeout=ENOUGH, read_timeout=ENOUGH)) as client:
        yield client


@dataclass
class Talker:
    """A server that counts its connections and writes down the targets of requests."""

    endpoint: str = ""
    connections: int = 0
    targets: list[str] = field(default_factory=list)
    sockets: list[socket.socket] = field(default_factory=list)

    def close_idle(self) -> None:
        """Close all connections."""
        for each in self.sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def talker() -> Iterator[Talker]:
    """Answers `ok`; to /drip byte by byte, for ever; to /cut with half a body; to the first /vanish not at all.

    /together waits for as many requests as TOGETHER says. /trouble drips, too, but for the first one, which gets a 503.
    """
    talker = Talker()
    stopped = threading.Event()
    together = threading.Barrier(TOGETHER)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            talker.connections += 1
            talker.sockets.append(self.connection)

        def do_GET(self) -> None:
            talker.targets.append(self.path)
            if self.path == "/together":
                together.wait(ENOUGH)
            if self.path == "/vanish" and talker.targets.count(self.path) == 1:
                self.close_connection = True
                return
            troubled = self.path == "/trouble" and talker.targets.count(self.path) == 1
            drips = self.path in ("/drip", "/trouble") and not troubled
            self.send_response(503 if troubled else 200)
            self.send_header("Content-Length", "100000" if drips else {"/cut": "4"}.get(self.path, "2"))
            self.end_headers()
            if drips:
                while not stopped.wait(0.05):
                    try:
                        self.wfile.write(b"x")
                    except OSError:
                        break
                self.close_connection = True
            else:
                self.wfile.write(b"ok")
                self.close_connection = self.path == "/cut"

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    with in_thread(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as server:
        talker.endpoint = f"http://127.0.0.1:{server.server_port}"
        yield talker
        stopped.set()


def test_requests_share_a_connection(talker: Talker, http_client: HttpClient) -> None:
    responses = [http_client.request("GET", talker.endpoint + "/", {}, None, within(ENOUGH)) for _ in range(3)]
    assert [b"ok"] * 3 == [response.body for response in responses]
    assert 1 == talker.connections


def test_signed_path_is_sent_unchanged(talker: Talker, http_client: HttpClient) -> None:
    http_client.request("GET", talker.endpoint + "/a/./../b//%C3%BC+c?x=%2F", {}, None, within(ENOUGH))
    assert ["/a/./../b//%C3%BC+c?x=%2F"] == talker.targets


def test_stale_connection_is_replaced_without_pause(talker: Talker, http_client: HttpClient) -> None:
    http_client.request("GET", talker.endpoint + "/", {}, None, within(ENOUGH))
    with patch("time.sleep") as sleep:
        assert b"ok" == http_client.request("GET", talker.endpoint + "/vanish", {}, None, within(ENOUGH)).body
    assert 0 == sleep.call_count
    assert 2 == talker.connections


def test_slow_body_ends_at_the_deadline(talker: Talker, http_client: HttpClient) -> None:
    """No single read of it times out."""
    with pytest.raises(StoreUnavailableError):
        http_client.request("GET", talker.endpoint + "/drip", {}, None, within(SOON))


def test_error_has_the_last_response_before_the_deadline(talker: Talker, http_client: HttpClient) -> None:
    for seconds in (2, 8, 32):
        talker.targets.clear()
        with pytest.raises(StoreUnavailableError) as caught:
            http_client.request("GET", talker.endpoint + "/trouble", {}, None, within(seconds))
        if len(talker.targets) > 1:
            assert "503" in str(caught.value)
            return
    pytest.fail("there was never time for a second attempt")


def test_incomplete_body_is_retried(talker: Talker) -> None:
    with (
        closing(HttpClient(backoff=None)) as client,
        pytest.raises(StoreUnavailableError, match=r"the connection was closed after \d+ bytes"),
    ):
        client.request("GET", talker.endpoint + "/cut", {}, None, within(ENOUGH))
    assert 2 == len(talker.targets)


def test_nothing_is_sent_after_the_deadline(talker: Talker, http_client: HttpClient) -> None:
    with pytest.raises(StoreUnavailableError, match="no time was left"):
        http_client.request("GET", talker.endpoint + "/", {}, None, within(-1))
    assert [] == talker.targets


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (
            b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            "what it sends is not HTTP",
        ),
        (CHUNKED + b"2\r\nab\r\n5\r\ncde", "the connection was closed after 5 bytes"),
        (CHUNKED + b"2\r\nab\r\n", "the connection was closed after 2 bytes"),
    ],
)
def test_response_that_is_not_whole_is_an_error(sent: bytes, why: str) -> None:
    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            while self.rfile.readline().strip():
                pass
            self.wfile.write(sent)

    with (
        in_thread(ThreadingTCPServer(("127.0.0.1", 0), Handler)) as server,
        closing(HttpClient(backoff=None)) as client,
    ):
        url = f"http://127.0.0.1:{server.server_address[1]}/"
        with pytest.raises(StoreUnavailableError, match=f"{why}$"):
            client.request("GET", url, {}, None, within(ENOUGH))


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (b'{"__type":"a.b#SomeException","Message":"why"}', "SomeException", "why"),
        (b'{"__type":', "418", "no reason given"),
        (b"<Error><Code>Odd</Code><Message>why</Message></Error>", "Odd", "why"),
        (b"<html>\xff</html>", "418", "no reason given"),
        (b"", "418", "no reason given"),
    ],
)
def test_error_is_read_from_json_and_xml(body: bytes, code: str, message: str) -> None:
    """The status replaces a missing code."""
    error = errors.error_in(418, body)
    assert (code, message, 418) == (error.code, error.message, error.status)


def test_closed_connections_are_not_used(talker: Talker, http_client: HttpClient) -> None:
    """However many the service has closed while they were idle."""
    with ThreadPoolExecutor(TOGETHER) as threads:
        arguments = ("GET", talker.endpoint + "/together", {}, None, within(ENOUGH))
        for each in [threads.submit(http_client.request, *arguments) for _ in range(TOGETHER)]:
            each.result()
    assert TOGETHER == talker.connections
    talker.close_idle()
    with patch("time.sleep") as sleep:
        assert b"ok" == http_client.request("GET", talker.endpoint + "/", {}, None, within(ENOUGH)).body
    assert 0 == sleep.call_count


def test_refused_connection_is_retried_after_a_pause(http_client: HttpClient) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    with patch("time.sleep") as sleep, pytest.raises(StoreUnavailableError, match="connection refused") as caught:
        http_client.request("GET", f"http://127.0.0.1:{port}/", {}, None, within(SOON))
    attempts = re.search(r"attempts: (\d+)", str(caught.value))
    assert attempts is not None
    assert sleep.call_count in (int(attempts[1]) - 1, int(attempts[1]))
