"""Hostile bytes sent to `matchboxctl serve`."""

import socket
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lambda_matchbox.assets.file_server import Delivery
from lambda_matchbox.web.alb import BODY_LIMIT
from lambda_matchbox.web.app import App
from lambda_matchbox.web.routes import Routes, Stores
from matchboxctl.directory.assets import AssetDirectory
from matchboxctl.directory.served_releases import DirectoryReleases
from tests.support.http_serving import http_serving
from tests.unit.web.hostile_requests import PIECES, SECRET, catalog, filled, quiet

pytestmark = pytest.mark.system

LIMIT = 60
SENT_NAMES = {
    b"accept-ranges",
    b"connection",
    b"content-length",
    b"content-range",
    b"content-type",
    b"date",
    b"etag",
    b"last-modified",
    b"location",
    b"retry-after",
    b"server",
    b"x-content-type-options",
}
# What ends a word of the request line, as Python's server splits it, makes another request line of it.
BLANKS = b"\t\n\v\f\r \x1c\x1d\x1e\x1f\x85\xa0"
WORD_BYTES = st.binary(max_size=20).map(lambda octets: octets.translate(None, BLANKS))
ENDS = st.sampled_from(["/", "/assets/", "/assets/large", "/assets/small", "/generic?"]).map(str.encode)
TARGETS = st.tuples(ENDS, st.lists(WORD_BYTES | PIECES.map(str.encode), max_size=4)).map(
    lambda pair: (pair[0] + b"".join(pair[1])).translate(None, BLANKS)
)
METHODS = st.sampled_from([b"GET", b"HEAD", b"POST", b"CONNECT"]) | WORD_BYTES.filter(bool)
NAMES = st.sampled_from([b"Host", b"Range", b"User-Agent", b"If-Range", b"X-Forwarded-Proto"]) | WORD_BYTES
FIELDS = st.lists(
    st.tuples(NAMES, st.binary(max_size=20)).map(lambda pair: b": ".join(pair).translate(None, b"\r\n")), max_size=5
)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    directory = filled(tmp_path_factory.mktemp("data"))
    stores = Stores(catalog(), AssetDirectory(directory), DirectoryReleases(directory / "none"), responses=None)
    with http_serving(App(Routes(stores, Delivery(BODY_LIMIT, "boundary")), quiet())) as port:
        yield port


def received(port: int, sent: bytes) -> bytes:
    """Everything received until the connection ends; the sender closes its half."""
    with socket.create_connection(("127.0.0.1", port), timeout=LIMIT) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


@given(METHODS, TARGETS, FIELDS)
@example(b"GET", b"/assets/%2e%2e/secret", [])
@example(b"CONNECT", b"/assets/../secret", [])
@example(b"GET", b"/assets/large", [b"Host: a\x85Set-Cookie: b", b"User-Agent: GRUB 2.06"])
@example(b"GET", b"/assets/\xff", [])
@example(b"GET", b"http://host\xff/assets/large", [b"Host: "])
@example(b"\x00", b"/generic?a=\x00&\xff", [b"\x00: \x00"])
def test_request_of_any_bytes(port: int, method: bytes, target: bytes, fields: list[bytes]) -> None:
    """The response has no 5xx, no header of the sender's and no secret."""
    response = received(port, b"\r\n".join([b" ".join([method, target, b"HTTP/1.1"]), *fields, b"", b""]))
    head, _, _ = response.partition(b"\r\n\r\n")
    status, *lines = head.split(b"\r\n")
    assert status.startswith(b"HTTP/1.")
    assert 200 <= int(status.split()[1]) < 500
    names = [line.partition(b":")[0].lower() for line in lines]
    assert set(names) <= SENT_NAMES
    assert len(set(names)) == len(names)
    assert SECRET not in response


@given(st.lists(st.binary(max_size=40), max_size=4).map(b"\r\n".join))
def test_next_client_is_served_after_any_bytes(port: int, sent: bytes) -> None:
    assert SECRET not in received(port, sent)
    assert received(port, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").endswith(b"\r\n\r\nmatchbox\n")
