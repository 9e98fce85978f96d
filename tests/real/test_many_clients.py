"""Forty machines boot at once from `matchboxctl serve`, and a slow one beside them."""

import hashlib
import http.client
import json
import random
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from tests.support.serving import serving

pytestmark = pytest.mark.real

MACHINES = 40
SIZE = 30_000_000
PIECE = 1 << 20
LIMIT = 300
"""Seconds of silence after which a client gives up, on any machine."""

USER_AGENTS = ("iPXE/2.0.0+ (g8f1514a00)", "iPXE/1.0.0+git-20190125.36a4c85-5.1", "GRUB 2.06")


class Site(NamedTuple):
    """A port that serves, and the digests of the assets there."""

    port: int
    digests: dict[str, str]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A group for each machine, whose profile's kernel and initramfs they all share."""
    root = tmp_path_factory.mktemp("data")
    for name in ("groups", "profiles", "assets"):
        (root / name).mkdir()
    digests = {}
    for number, name in enumerate(("vmlinuz", "initramfs.xz")):
        body = random.Random(number).randbytes(SIZE)
        (root / "assets" / name).write_bytes(body)
        digests[name] = hashlib.sha256(body).hexdigest()
    for number in range(MACHINES):
        boot = {"kernel": "/assets/vmlinuz", "initrd": ["/assets/initramfs.xz"], "args": [f"node={number}"]}
        _write(root / "profiles" / f"{number}.json", {"boot": boot})
        _write(root / "groups" / f"{number}.json", {"profile": str(number), "selector": {"mac": _mac(number)}})
    with serving(root) as port:
        yield Site(port, digests)


def _write(path: Path, document: dict[str, object]) -> None:
    path.write_text(json.dumps(document))


def _mac(number: int) -> str:
    return f"52:54:00:00:00:{number:02x}"


@contextmanager
def _respond(port: int, target: str, user_agent: str) -> Iterator[http.client.HTTPResponse]:
    """The response, after the redirect where there is one."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT)) as connection:
        connection.request("GET", target, headers={"User-Agent": user_agent})
        response = connection.getresponse()
        if response.status == 302:
            location = urlsplit(response.headers["location"])
            assert location.port is not None
            with _respond(location.port, f"{location.path}?{location.query}", user_agent) as followed:
                yield followed
            return
        assert 200 == response.status
        yield response


def _digest(port: int, name: str, user_agent: str) -> str:
    found = hashlib.sha256()
    with _respond(port, f"/assets/{name}", user_agent) as response:
        while piece := response.read(PIECE):
            found.update(piece)
    return found.hexdigest()


def _boot(site: Site, number: int, start: threading.Barrier) -> tuple[bytes, dict[str, str]]:
    """The script of that machine, and the digests of what it downloads."""
    user_agent = USER_AGENTS[number % len(USER_AGENTS)]
    start.wait(LIMIT)
    with _respond(site.port, f"/ipxe?mac={_mac(number)}", user_agent) as response:
        script = response.read()
    return script, {name: _digest(site.port, name, user_agent) for name in site.digests}


def _booted(site: Site) -> list[tuple[bytes, dict[str, str]]]:
    start = threading.Barrier(MACHINES)
    with ThreadPoolExecutor(MACHINES) as machines:
        return list(machines.map(lambda number: _boot(site, number, start), range(MACHINES)))


def _expected(site: Site) -> list[tuple[bytes, dict[str, str]]]:
    script = "#!ipxe\nkernel /assets/vmlinuz node={}\ninitrd /assets/initramfs.xz\nboot\n"
    return [(script.format(number).encode(), site.digests) for number in range(MACHINES)]


def test_all_at_once(site: Site) -> None:
    """Each of forty machines gets its own script, and the whole kernel and initramfs."""
    assert _expected(site) == _booted(site)


class SlowReader:
    """A client with a small buffer, which takes a byte now and then until it is hurried."""

    def __init__(self, port: int, target: str) -> None:
        self.received = bytearray()
        self._hurry = threading.Event()
        self._connection = socket.socket()
        self._connection.settimeout(LIMIT)
        # Before the connection is made, which settles how much the other side may send ahead.
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._connection.connect(("127.0.0.1", port))
        request = f"GET {target} HTTP/1.1\r\nHost: a\r\nUser-Agent: GRUB 2.06\r\nConnection: close\r\n\r\n"
        self._connection.sendall(request.encode())
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        with self._connection:
            while piece := self._connection.recv(PIECE if self._hurry.is_set() else 1):
                self.received += piece
                self._hurry.wait(0.01)

    def body(self) -> bytes:
        """All that is left, at full speed."""
        self._hurry.set()
        self._reader.join(LIMIT)
        return bytes(self.received).partition(b"\r\n\r\n")[2]


def test_beside_a_slow_reader(site: Site) -> None:
    """While one machine still holds its download, reading a byte now and then, forty others finish theirs."""
    slow = SlowReader(site.port, "/assets/vmlinuz")
    try:
        assert _expected(site) == _booted(site)
        assert 0 < len(slow.received) < SIZE
    finally:
        body = slow.body()
    assert site.digests["vmlinuz"] == hashlib.sha256(body).hexdigest()
