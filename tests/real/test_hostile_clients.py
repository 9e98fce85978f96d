"""Thousands of idle, slow, flooding and malformed clients against `matchboxctl serve`, in both modes.

The figures are printed, and `make test-hostile` shows them; no test depends on time.
"""

import json
import resource
import socket
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from tests.rigs.service import Service
from tests.rigs.stores import Stores, new_stores
from tests.support.certificates import Authority
from tests.support.serving import COMMAND, LIMIT, Serve, started

pytestmark = pytest.mark.real

IDLE, SLOW = 15_000, 2_000
MEMORY = 250_000_000
"""Bytes that the processes of a server may have together."""

REQUESTS = 300
TARGET = "/ipxe?mac=52-54-00-12-34-56"
MALFORMED = [
    b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    b"GET / HTTP/1.1\r\nTransfer-Encoding : chunked\r\n\r\n",
    b"GET / HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"GET " + b"/" * 20_000 + b" HTTP/1.1\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"\x00" * 1000,
]
"""What is not HTTP, or says two things."""

_PER_ADDRESS = 200
# What the test itself and its client need.
_OTHER_DESCRIPTORS = 500


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    for name in ("groups", "profiles"):
        (root / name).mkdir()
    boot = {"kernel": "/assets/vmlinuz", "initrd": [], "args": ["quiet"]}
    (root / "profiles" / "worker.json").write_text(json.dumps({"boot": boot}))
    group = {"profile": "worker", "selector": {"mac": "52:54:00:12:34:56"}}
    (root / "groups" / "node.json").write_text(json.dumps(group))
    return root


@pytest.fixture(scope="module")
def stores(dynamodb_local: Service, versitygw: Service, data: Path) -> Stores:
    filled = new_stores(dynamodb_local, versitygw)
    filled.fill(data)
    return filled


@pytest.fixture(params=["directory mode", "store mode"])
def server(request: pytest.FixtureRequest, data: Path) -> Iterator[Serve]:
    flags = ["--address", "127.0.0.1:0"]
    environment = None
    if request.param == "directory mode":
        flags += ["--data-path", str(data), "--log-level", "warning"]
    else:
        environment = request.getfixturevalue("stores").environment()
    with started(*flags, environment=environment) as serve:
        yield serve
        serve.end()


@pytest.fixture(autouse=True)
def _descriptors() -> Iterator[None]:
    """As many as the system lets this process have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_idle_connections_from_many_addresses(server: Serve) -> None:
    number = min(IDLE, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - _OTHER_DESCRIPTORS)
    with connections(server.port, number):
        report(f"{number} idle connections", server)


def test_slow_requests(server: Serve) -> None:
    """A byte of the head at a time."""
    with connections(server.port, SLOW) as clients, sending_slowly(clients):
        report(f"{SLOW} slow requests", server)


def test_heads_and_bodies_without_end(server: Serve) -> None:
    head = b"GET / HTTP/1.1\r\n" + b"".join(b"H%d: %s\r\n" % (number, b"x" * 65_000) for number in range(95))
    body = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000001\r\n\r\n" + b"x" * 1_000_000
    with connections(server.port, 600) as clients:
        for number, client in enumerate(clients):
            client.settimeout(LIMIT)
            with suppress(ConnectionError):
                client.sendall(head if number % 6 == 0 else body)
        report("100 endless heads and 500 unfinished bodies", server)


def test_flood_from_one_address_leaves_the_others_their_share(server: Serve) -> None:
    with ExitStack() as kept:
        for _ in range(3_000):
            kept.enter_context(connected(server.port, "127.9.9.9"))
        report("3000 connections from one address", server)
    server.end()
    refused = [json.loads(line)["refused"] for line in server.errors if '"refused"' in line]
    assert 1 <= len(refused) <= 10, "a line in a minute for each process, not one for each connection"
    assert any("from one address" in reason for each in refused for reason in each)


def test_malformed_requests(server: Serve) -> None:
    """Each is refused with 400, and what follows is not read."""
    for head in MALFORMED:
        for _ in range(100):
            with connected(server.port, "127.0.0.1") as client:
                client.sendall(head + b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                with suppress(ConnectionError):
                    assert b"400" == b"".join(iter(lambda: client.recv(65536), b"")).split()[1], head[:100]
        assert latencies(server, 10)


def test_unread_downloads(data: Path) -> None:
    """With requests and bodies behind them, and with few descriptors, of which each download takes two."""
    (data / "assets").mkdir(exist_ok=True)
    (data / "assets" / "small").write_bytes(b"x" * 60_000)
    (data / "assets" / "large").write_bytes(b"x" * 700_000)
    command = ["prlimit", "--nofile=1024:1024", *COMMAND]
    flags = ("--address", "127.0.0.1:0", "--data-path", str(data), "--log-level", "warning")
    asset = b"GET /assets/%s HTTP/1.1\r\nHost: a\r\n"
    behind = b"GET / HTTP/1.1\r\nHost: a\r\n" + b"H: %s\r\n\r\n" % (b"x" * 15_000)
    with started(*flags, command=command) as serve:
        with connections(serve.port, 720) as clients:
            for number, client in enumerate(clients):
                name, body = (b"large", b"\r\n") if number % 3 else (b"small", b"Content-Length: 900000\r\n\r\n")
                with suppress(OSError):
                    client.send(asset % name + body + behind * 20, socket.MSG_DONTWAIT)
            report("720 unread downloads", serve)
        serve.end()
        assert [] == [line for line in serve.errors if "resource" in line or "Traceback" in line]


@pytest.mark.nightly
def test_connections_without_a_handshake(data: Path, tmp_path: Path) -> None:
    """Some begin one, and go on a byte at a time."""
    authority = Authority()
    issued = authority.issue("boot.test", ["127.0.0.1"])
    files = {"--web-cert-file": issued.certificate, "--web-key-file": issued.key}
    flags = ["--address", "127.0.0.1:0", "--data-path", str(data), "--log-level", "warning", "--web-ssl"]
    for flag, content in files.items():
        (tmp_path / flag).write_bytes(content)
        flags += [flag, str(tmp_path / flag)]
    with started(*flags, tls=authority.certificate) as serve:
        with connections(serve.port, SLOW) as clients:
            for client in clients[::2]:
                client.sendall(b"\x16\x03\x01\x02\x00\x01")
            with sending_slowly(clients[::2]):
                report(f"{SLOW} connections without a handshake", serve)
        serve.end()
        assert [] == serve.errors


def test_few_descriptors_are_no_outage(data: Path) -> None:
    """Connections that wait for a request make room for new ones."""
    command = ["prlimit", "--nofile=256:256", *COMMAND]
    flags = ("--address", "127.0.0.1:0", "--data-path", str(data), "--log-level", "warning")
    with started(*flags, command=command) as serve:
        with connections(serve.port, 1_000):
            report("1000 idle connections with 256 descriptors", serve)
        serve.end()
        assert [] == [line for line in serve.errors if "Too many open files" in line]


def report(what: str, server: Serve) -> None:
    """Print how a client that behaves is served; hold it to correct responses, and the server to its memory."""
    found = latencies(server, REQUESTS)
    used = memory(server.pid)
    p50, p99 = statistics.median(found), statistics.quantiles(found, n=100)[98]
    print(f"{what}: p50 {p50 * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms, memory {used / 1e6:.0f} MB")
    assert used < MEMORY


def latencies(server: Serve, number: int) -> list[float]:
    """The seconds that requests took, each on a connection of its own; every one must be answered."""
    found = []
    for _ in range(number):
        begin = time.perf_counter()
        assert server.send(TARGET).body.startswith(b"#!ipxe\nkernel /assets/vmlinuz")
        found.append(time.perf_counter() - begin)
    return found


def memory(pid: int) -> int:
    """The bytes of a process and its children, pages that they share counted once."""
    children = [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]
    lines = []
    for each in (pid, *children):
        # The process of the validation ends meanwhile.
        with suppress(ProcessLookupError, FileNotFoundError):
            lines.append(Path(f"/proc/{each}/smaps_rollup").read_text())
    return sum(int(line.split()[1]) * 1024 for text in lines for line in text.splitlines() if line.startswith("Pss:"))


@contextmanager
def connections(port: int, number: int) -> Iterator[Sequence[socket.socket]]:
    """Idle connections from many addresses of 127.0.0.0/8."""
    with ExitStack() as kept:
        yield [
            kept.enter_context(connected(port, f"127.1.{at // _PER_ADDRESS // 250}.{at // _PER_ADDRESS % 250 + 1}"))
            for at in range(number)
        ]


@contextmanager
def connected(port: int, address: str) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), LIMIT, (address, 0)) as client:
        yield client


@contextmanager
def sending_slowly(clients: Sequence[socket.socket]) -> Iterator[None]:
    """Send the byte of a head on each connection, again and again."""
    ended = threading.Event()

    def send() -> None:
        while not ended.wait(0.5):
            for client in clients:
                with suppress(OSError):
                    client.send(b"G", socket.MSG_DONTWAIT)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield
    finally:
        ended.set()
        sender.join()
