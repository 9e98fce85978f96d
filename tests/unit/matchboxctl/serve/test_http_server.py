"""Large assets and long responses of `serve` in directory mode, over HTTP from a real process."""

import random
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.serving import LIMIT, Serve, started

pytestmark = pytest.mark.system

LARGE = random.Random(1).randbytes(3_000_000)
LONG = 1_500_000
GRUB, OLD_IPXE = "GRUB 2.06", "iPXE/1.0.0+git-20190125.36a4c85-5.1"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    for name in ("groups", "profiles", "generic", "ignition", "assets/dir"):
        (root / name).mkdir(parents=True)
    (root / "groups" / "g.json").write_text('{"profile": "p", "selector": {"os": "a"}, "metadata": {"a": "b"}}')
    (root / "groups" / "empty.json").write_text('{"profile": "empty", "selector": {"os": "empty"}}')
    (root / "groups" / "long.json").write_text('{"profile": "long", "selector": {"os": "long"}}')
    (root / "profiles" / "p.json").write_text('{"boot": {"kernel": "/assets/dir/large.img"}, "generic_id": "euro"}')
    (root / "profiles" / "empty.json").write_text('{"generic_id": "empty"}')
    (root / "profiles" / "long.json").write_text('{"generic_id": "t", "ignition_id": "t.yaml"}')
    (root / "generic" / "euro").write_text("10 \u20ac")
    (root / "generic" / "empty").write_text("")
    (root / "generic" / "t").write_text("{{.os}}" + "x" * LONG)
    (root / "ignition" / "t.yaml").write_text("a: " + "x" * LONG)
    (root / "assets" / "dir" / "large.img").write_bytes(LARGE)
    (root / "assets" / "small").write_bytes(b"small")
    return root


@pytest.fixture(scope="module")
def server(data: Path) -> Iterator[Serve]:
    with started("--address", "127.0.0.1:0", "--data-path", str(data)) as running:
        yield running


@pytest.mark.parametrize("user_agent", [GRUB, OLD_IPXE, "UefiHttpBoot/1.0", "curl/8.5.0"])
def test_large_asset_is_streamed_to_every_client(server: Serve, user_agent: str) -> None:
    whole = server.get("/assets/dir/large.img", user_agent)
    assert (200, LARGE) == (whole.status, whole.body)
    part = server.get("/assets/dir/large.img", user_agent, Range="bytes=1000000-2999999")
    assert (206, LARGE[1_000_000:]) == (part.status, part.body)
    assert "bytes 1000000-2999999/3000000" == part.headers["content-range"]
    parts = server.get("/assets/dir/large.img", user_agent, Range="bytes=0-0,-1")
    assert (206, str(len(parts.body))) == (parts.status, parts.headers["content-length"])


def test_head_of_a_large_asset_has_its_length(server: Serve) -> None:
    head = server.get("/assets/dir/large.img", GRUB, method="HEAD")
    assert (200, b"", "3000000", "application/octet-stream") == (
        *(head.status, head.body),
        *(head.headers[name] for name in ("content-length", "content-type")),
    )


def test_connect_stays_inside_the_assets(server: Serve) -> None:
    """The path of a CONNECT is not cleaned."""
    for target in ("/assets/../groups/g.json", "/assets//etc/hostname"):
        with socket.create_connection(("127.0.0.1", server.port), timeout=LIMIT) as connection:
            connection.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
            received = b"".join(iter(lambda: connection.recv(65536), b""))
        assert received.startswith(b"HTTP/1.1 404 ")


def test_header_names_are_spelled_as_grub_reads_them(server: Serve) -> None:
    """GRUB 2.06 matches `Content-Length: ` in this case only. The server does not tell what it is made of."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=LIMIT) as connection:
        connection.sendall(b"GET /assets/small HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    assert b"\r\nContent-Length: 5\r\n" in received
    assert b"\r\nServer: lambda-matchbox\r\n" in received


@pytest.mark.parametrize("target", ["/ipxe?os=a", "/generic?os=a", "/generic?os=long", "/generic?os=empty"])
def test_responses_are_the_same_when_the_connection_stays_open(server: Serve, target: str) -> None:
    """It is then not aiohttp that writes their headers."""
    request = f"GET {target} HTTP/1.1\r\nHost: a\r\n".encode()
    with socket.create_connection(("127.0.0.1", server.port), timeout=LIMIT) as connection:
        connection.sendall((request + b"\r\n") * 2 + request + b"Connection: close\r\n\r\n")
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    *kept, last = re.sub(rb"\r\nDate: \w{3}, [^\r]+ GMT", b"\r\nDate: D", received).split(b"HTTP/1.1 ")[1:]
    assert [last.replace(b"\r\nConnection: close", b"")] * 2 == kept
    assert b"\r\nDate: D\r\n" in last


def test_slow_reader_delays_no_other_client(server: Serve) -> None:

    def fetch(number: int) -> bytes:
        if number % 2:
            return server.get("/ipxe?os=a").body
        return server.get("/assets/dir/large.img", GRUB).body

    script = server.get("/ipxe?os=a").body
    with socket.socket() as stuck:
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.connect(("127.0.0.1", server.port))
        stuck.sendall(b"GET /assets/dir/large.img HTTP/1.1\r\nHost: a\r\nUser-Agent: GRUB 2.06\r\n\r\n")
        with ThreadPoolExecutor(40) as clients:
            bodies = list(clients.map(fetch, range(40)))
        assert [script if number % 2 else LARGE for number in range(40)] == bodies


@pytest.mark.parametrize("user_agent", [GRUB, OLD_IPXE, "curl/8.5.0"])
def test_long_response_reaches_any_client(server: Serve, user_agent: str) -> None:
    """Under the same address, with ranges and HEAD."""
    text = b"long" + b"x" * LONG
    whole = server.get("/generic?os=long", user_agent)
    assert (200, text) == (whole.status, whole.body)
    assert ("text/plain; charset=utf-8", str(len(text))) == tuple(
        whole.headers[name] for name in ("content-type", "content-length")
    )
    part = server.get("/generic?os=long", user_agent, Range="bytes=2-899999")
    assert (206, text[2:900_000]) == (part.status, part.body)
    head = server.get("/generic?os=long", user_agent, method="HEAD")
    assert (200, str(len(text)), b"") == (head.status, head.headers["content-length"], head.body)


def test_long_talos_configuration_keeps_its_content_type(server: Serve) -> None:
    response = server.get("/ignition?os=long")
    assert (200, "application/x-yaml", LONG + 3) == (
        response.status,
        response.headers["content-type"],
        len(response.body),
    )
