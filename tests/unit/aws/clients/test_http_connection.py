"""Responses are read as RFC 9112 has them, and what is not HTTP is refused."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lambda_matchbox.aws.clients.http_connection import HttpConnection, HttpResponse
from lambda_matchbox.http_reasons import IncompleteResponseError, ResponseError

pytestmark = pytest.mark.system

ENOUGH = 20.0
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: Chunked\r\n\r\n"


@contextmanager
def connected(pieces: list[bytes]) -> Iterator[tuple[HttpConnection, list[bytes]]]:
    """A connection to a server that sends the pieces after a request's head, and what the server has received."""
    received: list[bytes] = []

    def serve() -> None:
        accepted, _ = server.accept()
        with accepted:
            while not b"".join(received).endswith((b"\r\n\r\n", b"the body")):
                received.append(accepted.recv(65536))
            for piece in pieces:
                accepted.sendall(piece)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        connection = HttpConnection(f"127.0.0.1:{server.getsockname()[1]}", ENOUGH, None)
        try:
            yield connection, received
        finally:
            connection.close()
            thread.join(ENOUGH)


def response_to(pieces: list[bytes], method: str = "GET") -> tuple[HttpResponse, bool]:
    """The response, and whether the connection is open after it."""
    with connected(pieces) as (connection, _):
        connection.send(method, "/", {}, None, ENOUGH)
        return connection.response(method, lambda: ENOUGH), connection.is_open


@pytest.mark.parametrize(
    ("sent", "body", "is_open"),
    [
        (OK + b"Content-Length: 2\r\n\r\nok", b"ok", True),
        (OK + b"Content-Length: 2\r\ncontent-length: 2\r\n\r\nok", b"ok", True),
        (OK + b"Content-Length: 2\r\nConnection: Close\r\n\r\nok", b"ok", False),
        (OK + b"Content-Length: 0\r\n\r\n", b"", True),
        (OK + b"\r\nall that comes", b"all that comes", False),
        (CHUNKED + b"3;x=y\r\nabc\r\n0A\r\n0123456789\r\n0\r\nT: t\r\n\r\n", b"abc0123456789", True),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nok", b"ok", True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b"", True),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", b"", True),
        (b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", b"ok", True),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", b"ok", False),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", b"ok", True),
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", [1, 65536])
def test_body_ends_where_the_head_says(sent: bytes, body: bytes, is_open: bool, size: int) -> None:
    """However few bytes come at a time."""
    pieces = [sent[at : at + size] for at in range(0, len(sent), size)]
    response, still_open = response_to(pieces)
    assert (body, is_open) == (response.body, still_open)


def test_what_follows_a_response_is_not_taken_for_the_next() -> None:
    response, is_open = response_to([OK + b"Content-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n"])
    assert (b"ok", False) == (response.body, is_open)


def test_head_has_no_body() -> None:
    response, is_open = response_to([OK + b'Content-Length: 700\r\nETag:  \t"a" \r\nX:\r\n\r\n'], "HEAD")
    assert (200, {"content-length": "700", "etag": '"a"', "x": ""}, b"") == response
    assert is_open


@pytest.mark.parametrize(
    "sent",
    [
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 \xb2\xb2\xb2 OK\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"220 mail.example.com\r\n\r\n",
        OK + b"no colon\r\n\r\n",
        OK + b"A: b\r\n folded: c\r\n\r\n",
        OK + b"A : b\r\n\r\n",
        OK + b": b\r\n\r\n",
        OK + b"Content-Length: -1\r\n\r\n",
        OK + b"Content-Length: +1\r\n\r\no",
        OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nok",
        OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
        CHUNKED + b"-1\r\n\r\n",
        CHUNKED + b"0x1\r\na\r\n0\r\n\r\n",
        CHUNKED + b"\r\na\r\n0\r\n\r\n",
        CHUNKED + b"1\r\nabc0\r\n\r\n",
        OK + b"A: " + b"a" * 200_000,
        CHUNKED + b"0" * 200_000,
    ],
    ids=lambda sent: sent[:60],
)
def test_what_is_not_http_is_refused(sent: bytes) -> None:
    with pytest.raises(ResponseError):
        response_to([sent])


@pytest.mark.parametrize(
    ("sent", "read", "left"),
    [
        (b"HTTP/1.1 200", 0, None),
        (OK, 0, None),
        (OK + b"Content-Length: 5\r\n\r\nabc", 3, 2),
        (CHUNKED + b"2\r\nab\r\n", 2, None),
        (CHUNKED + b"2\r\nab\r\n0\r\n", 2, None),
    ],
)
def test_early_end_is_an_error(sent: bytes, read: int, left: int | None) -> None:
    with pytest.raises(IncompleteResponseError) as caught:
        response_to([sent])
    assert (read, left) == (caught.value.read, caught.value.left)


def test_no_response_at_all_is_a_reset() -> None:
    with pytest.raises(ConnectionResetError):
        response_to([])


def test_request_is_sent_as_it_is_given() -> None:
    with connected([OK + b"Content-Length: 0\r\n\r\n"]) as (connection, received):
        connection.send("PUT", "/a//../b%20c?d=", {"Host": "signed", "X-É": "ü"}, b"the body", ENOUGH)
        connection.response("PUT", lambda: ENOUGH)
    lines = b"".join(received).split(b"\r\n")
    assert [b"PUT /a//../b%20c?d= HTTP/1.1", b"", b"the body"] == [lines[0], *lines[-2:]]
    assert {b"Host: signed", "X-É: ü".encode("latin-1"), b"Content-Length: 8"} < set(lines)


@pytest.mark.parametrize(
    ("target", "headers"), [("/a b", {}), ("/a\r\nB: c", {}), ("/", {"A": "b\nC: d"}), ("/", {"A\r": "b"})]
)
def test_request_of_more_lines_is_not_sent(target: str, headers: dict[str, str]) -> None:
    with connected([]) as (connection, received):
        with pytest.raises(ValueError, match="a line too many"):
            connection.send("GET", target, headers, None, ENOUGH)
        connection.send("GET", "/", {}, None, ENOUGH)
    assert b"".join(received).startswith(b"GET / HTTP/1.1\r\n")
