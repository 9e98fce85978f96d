"""Connections of an edge."""

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack.cloudfront.front import Front
from tests.stack.cloudfront.messages import Request, Response
from tests.support.certificates import tls_server
from tests.support.server_threads import in_thread


def respond(request: Request, has_body: bool) -> Response:
    if request.path == "/304":
        return Response(304, {"etag": '"a"'}, b"")
    if request.path == "/long":
        return Response(414, {}, b"x")
    said = f"{request.method} {request.target} {request.secure} {has_body} {request.header('host')}"
    return Response(200, {}, said.encode())


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with in_thread(Front(0, respond)) as front:
        yield front.server_address[1]


def sent(port: int, *requests: str) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall("".join(requests).encode("latin-1"))
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_connection_is_kept_until_the_viewer_ends_it(port: int) -> None:
    response = sent(
        port,
        'GET /a?serial="x" HTTP/1.1\r\nHost: a\r\n\r\n',
        "HEAD /a HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET /304 HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /b? HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nxx",
        "GET /c HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    )
    assert (
        b"HTTP/1.1 200 OK\r\nContent-Length: 31\r\nConnection: keep-alive\r\n\r\n"
        b'GET /a?serial="x" False False a'
        b"HTTP/1.1 200 OK\r\nContent-Length: 21\r\nConnection: keep-alive\r\n\r\n"
        b'HTTP/1.1 304 Not Modified\r\nEtag: "a"\r\nConnection: keep-alive\r\n\r\n'
        b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\nConnection: keep-alive\r\n\r\nPOST /b False True a"
        b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\nConnection: close\r\n\r\nGET /c False False a"
    ) == response


def test_http_1_0_ends_with_its_response_and_needs_a_host(port: int) -> None:
    responses = [sent(port, f"GET / HTTP/1.0\r\n{host}\r\n") for host in ("Host: a\r\n", "")]
    assert [b"200", b"400"] == [response[9:12] for response in responses]
    assert all(b"Connection: close" in response for response in responses)


def test_what_is_too_long_ends_the_connection(port: int) -> None:
    line = "GET {} HTTP/1.1\r\nHost: a\r\n\r\n"
    assert 1 == sent(port, line.format("/long"), line.format("/a")).count(b"HTTP/1.1 ")


def test_https_is_served_with_the_certificate(tmp_path: Path) -> None:
    context, authority = tls_server(tmp_path, ["d1.cloudfront.net"])
    viewer = ssl.create_default_context(cafile=str(authority))
    with (
        in_thread(Front(0, respond, context)) as front,
        socket.create_connection(front.server_address[:2], timeout=30) as plain,
        viewer.wrap_socket(plain, server_hostname="d1.cloudfront.net") as connection,
    ):
        connection.sendall(b"GET / HTTP/1.0\r\nHost: d1.cloudfront.net\r\n\r\n")
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    assert received.endswith(b"GET / True False d1.cloudfront.net")
