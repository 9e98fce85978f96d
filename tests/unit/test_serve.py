"""`matchboxctl serve` as an operator runs it: a real process, over HTTP."""

import http.client
import json
import os
import queue
import random
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from matchboxctl.asset_files import AssetDirectory

LIMIT = 60
LARGE = random.Random(1).randbytes(3_000_000)
COMMAND = [sys.executable, "-m", "matchboxctl.main", "serve"]
CURL, GRUB, OLD_IPXE = "curl/8.5.0", "GRUB 2.06", "iPXE/1.0.0+git-20190125.36a4c85-5.1"


class Reply(NamedTuple):
    """Status, headers in lower case, body."""

    status: int
    headers: dict[str, str]
    body: bytes


class Served:
    """A process that serves, and what it has written."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.port = 0
        self.welcome: list[str] = []
        self.errors: list[str] = []
        self._lines: queue.Queue[str] = queue.Queue()
        self._readers = [threading.Thread(target=self._read_welcome), threading.Thread(target=self._read_errors)]
        for reader in self._readers:
            reader.start()
        while not self.port:
            line = self._lines.get(timeout=LIMIT)
            if line.startswith("listening on "):
                self.port = int(line.rpartition(":")[2])
        assert b"matchbox\n" == self.get("/").body

    def get(self, target: str, user_agent: str = CURL, method: str = "GET", **headers: str) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT)
        try:
            connection.request(method, target, headers={"User-Agent": user_agent, **headers})
            answer = connection.getresponse()
            fields = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, fields, answer.read())
        finally:
            connection.close()

    def end(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end; returns its exit code once all that it wrote is read."""
        self.process.send_signal(number)
        code = self.process.wait(LIMIT)
        for reader in self._readers:
            reader.join(LIMIT)
        return code

    def _read_welcome(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.welcome.append(line.rstrip("\n"))
            self._lines.put(line)
        self._lines.put("listening on nothing:-1")

    def _read_errors(self) -> None:
        assert self.process.stderr is not None
        self.errors.extend(line.rstrip("\n") for line in self.process.stderr)


@contextmanager
def served(*flags: str, environment: Mapping[str, str] | None = None) -> Iterator[Served]:
    with subprocess.Popen(
        [*COMMAND, *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(environment or {})},
    ) as process:
        try:
            yield Served(process)
        finally:
            process.kill()


def refused(*flags: str, environment: Mapping[str, str] | None = None) -> str:
    """The one line with which `serve` refuses to start."""
    ended = subprocess.run(
        [*COMMAND, *flags],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
        env={**os.environ, **(environment or {})},
    )
    assert (2, "") == (ended.returncode, ended.stdout)
    (line,) = ended.stderr.splitlines()
    assert line.startswith("matchboxctl: ")
    return line


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    for name in ("groups", "profiles", "generic", "assets/dir"):
        (root / name).mkdir(parents=True)
    (root / "groups" / "g.json").write_text('{"profile": "p", "selector": {"os": "a"}, "metadata": {"key": "hidden"}}')
    (root / "groups" / "broken.json").write_text('{"profile": "p",\n\n"selector": {"os": 5}}')
    (root / "profiles" / "p.json").write_text(
        '{"generic_id": "t", "boot": {"kernel": "/assets/absent", "initrd": ["--name main /assets/dir/large.img"]}}'
    )
    (root / "generic" / "t").write_text("token={{.key}} {{.request.query.password}}")
    (root / "assets" / "dir" / "large.img").write_bytes(LARGE)
    (root / "assets" / "small").write_bytes(b"small")
    return root


@pytest.fixture(scope="module")
def server(data: Path) -> Iterator[Served]:
    with served("--address", "127.0.0.1:0", "--data-path", str(data)) as running:
        yield running


def test_port_in_use(tmp_path: Path) -> None:
    """A port that another program has is named in one line."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        assert f"cannot listen on {address}: " in refused("--address", address, "--data-path", str(tmp_path))


def test_missing_data_directory(tmp_path: Path) -> None:
    """A data directory that is not there, or is a file, is named with the flag that mends it."""
    (tmp_path / "file").touch()
    for name in ("absent", "file"):
        line = refused("--address", "127.0.0.1:0", "--data-path", str(tmp_path / name))
        assert f"{tmp_path / name} is no directory" in line
        assert "--data-path" in line


@pytest.mark.parametrize(
    "address", ["nonsense", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:\u00b2", f"{'a' * 70}.test:0"]
)
def test_bad_address(tmp_path: Path, address: str) -> None:
    """An address that is none is shown as it was given."""
    assert address in refused("--address", address, "--data-path", str(tmp_path))


def test_bad_log_level(tmp_path: Path) -> None:
    """A level from the environment is held to the same list as the flag's."""
    environment = {"MATCHBOX_LOG_LEVEL": "loud", "MATCHBOX_DATA_PATH": str(tmp_path)}
    assert "'loud'" in refused("--address", "127.0.0.1:0", environment=environment)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ends_cleanly(data: Path, number: int) -> None:
    """SIGTERM and SIGINT end it with 0, though a client keeps its connection."""
    with served("--address", "127.0.0.1:0", "--data-path", str(data)) as running:
        with socket.create_connection(("127.0.0.1", running.port), timeout=LIMIT):
            assert 0 == running.end(number)
        assert [] == [line for line in running.errors if "Traceback" in line]


def test_flags_with_one_dash_and_environment(data: Path, tmp_path: Path) -> None:
    """Flags take one dash as Go's do, and come before the environment."""
    (tmp_path / "only").write_text("other assets")
    environment = {
        "MATCHBOX_DATA_PATH": str(data),
        "MATCHBOX_ASSETS_PATH": "/nowhere",
        "MATCHBOX_ADDRESS": "nonsense",
        "MATCHBOX_LOG_LEVEL": "error",
    }
    flags = ("-address", "127.0.0.1:0", f"-assets-path={tmp_path}")
    with served(*flags, environment=environment) as running:
        assert b"other assets" == running.get("/assets/only").body
        assert 200 == running.get("/ipxe?os=a").status
        assert 0 == running.end()
        assert [] == [line for line in running.errors if line.startswith("{")]


def test_large_asset_is_redirected_to_the_host_asked(server: Served) -> None:
    """A client that follows redirects is sent to the host it named, where the bytes are, ranges too."""
    redirect = server.get("/assets/dir/large.img", Host="boot.test:1234")
    assert (302, b"") == (redirect.status, redirect.body)
    location = urlsplit(redirect.headers["location"])
    assert ("http", "boot.test:1234") == (location.scheme, location.netloc)
    target = f"{location.path}?{location.query}"
    whole = server.get(target)
    assert (200, LARGE) == (whole.status, whole.body)
    part = server.get(target, Range="bytes=2999990-")
    assert (206, LARGE[-10:]) == (part.status, part.body)
    assert "bytes 2999990-2999999/3000000" == part.headers["content-range"]
    parts = server.get(target, Range="bytes=0-0,-1")
    assert 206 == parts.status
    assert str(len(parts.body)) == parts.headers["content-length"]


def test_tampered_address(server: Served) -> None:
    """A signed address is for its file, its time and GET alone."""
    location = urlsplit(server.get("/assets/dir/large.img").headers["location"])
    path, query = location.path, location.query
    expires, signature = (field.partition("=")[2] for field in query.split("&"))
    assert 200 == server.get(f"{path}?{query}").status
    for target in (
        path,
        f"{path}?expires={expires}",
        f"{path}?expires={int(expires) + 1}&signature={signature}",
        f"{path}?expires={expires}&signature={signature[::-1]}",
        f"{path}?expires=x&signature=%ff%00",
        f"/presigned/small?{query}",
        f"/presigned/dir/../dir/large.img?{query}",
        f"/presigned/%zz?{query}",
    ):
        refusal = server.get(target)
        assert (403, b"") == (refusal.status, refusal.body)
    assert 403 == server.get(f"{path}?{query}", method="POST").status
    assert 403 == server.get(f"{path}?{query}", method="HEAD").status


def test_expired_address(data: Path) -> None:
    """A signed address serves until its lifetime has passed, under the secret that made it."""
    now = [1_700_000_000.0]
    assets = AssetDirectory(data / "assets", b"secret", 60, lambda: now[0])
    address = urlsplit(assets.address("dir/large.img", "http://boot.test"))
    assert "/presigned/dir/large.img" == address.path
    assert assets.verified("dir/large.img", address.query)
    assert not AssetDirectory(data / "assets", b"other", 60, lambda: now[0]).verified("dir/large.img", address.query)
    now[0] += 60
    assert assets.verified("dir/large.img", address.query)
    now[0] += 1
    assert not assets.verified("dir/large.img", address.query)


@pytest.mark.parametrize("user_agent", [GRUB, OLD_IPXE, "UefiHttpBoot/1.0"])
def test_large_asset_is_streamed(server: Served, user_agent: str) -> None:
    """A client that follows no redirect is given the bytes under the address it asked."""
    whole = server.get("/assets/dir/large.img", user_agent)
    assert (200, LARGE) == (whole.status, whole.body)
    assert "x-accel-redirect" not in whole.headers
    part = server.get("/assets/dir/large.img", user_agent, Range="bytes=1000000-2999999")
    assert (206, LARGE[1_000_000:]) == (part.status, part.body)


def test_head_of_large(server: Served) -> None:
    """HEAD of a large asset has its length and no body."""
    head = server.get("/assets/dir/large.img", GRUB, method="HEAD")
    assert (200, "3000000", b"") == (head.status, head.headers["content-length"], head.body)


def test_connect_stays_inside(server: Served) -> None:
    """A CONNECT, whose path nobody cleans, shows no file outside the assets."""
    for target in ("/assets/../groups/g.json", "/assets//etc/hostname"):
        with socket.create_connection(("127.0.0.1", server.port), timeout=LIMIT) as connection:
            connection.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
            received = b"".join(iter(lambda: connection.recv(65536), b""))
        assert received.startswith(b"HTTP/1.1 404 ")


def test_folded_host(server: Served) -> None:
    """A Host that is folded over two lines ends no line of the answer."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=LIMIT) as connection:
        connection.sendall(b"GET /assets/dir/large.img HTTP/1.1\r\nHost: a\r\n b: c\r\nConnection: close\r\n\r\n")
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    (location,) = [line for line in received.split(b"\r\n") if line.lower().startswith(b"location:")]
    assert b"/presigned/dir/large.img?" in location
    assert b"\n" not in location


def test_forty_clients_and_one_that_reads_nothing(server: Served) -> None:
    """A client that asks for much and reads nothing delays no other."""

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


def test_welcome(server: Served, data: Path) -> None:
    """The first lines say what is served, where, what to try, and which assets are missing."""
    text = "\n".join(server.welcome)
    assert f"serving {data} (directory mode): 1 groups, 1 profiles" == server.welcome[0]
    assert f"curl 'http://127.0.0.1:{server.port}/ipxe?os=a'" in text
    (boot,) = [line for line in server.welcome if line.startswith("  dhcp-boot=tag:ipxe,http://")]
    assert boot.endswith(f":{server.port}/boot.ipxe")
    assert f"(other machines reach it only after --address 0.0.0.0:{server.port})" in text
    assert "  absent (profile p)" in server.welcome
    assert "large.img" not in text


def test_broken_group_and_log(data: Path) -> None:
    """A broken group is named once with its line; each request is one JSON line that tells nothing of the answer."""
    with served("--address", "127.0.0.1:0", "--data-path", str(data)) as running:
        rendered = running.get("/generic?os=a&password=dont-log", "Ignition/2")
        assert (200, b"token=hidden dont-log") == (rendered.status, rendered.body)
        assert 404 == running.get("/generic?os=b").status
        assert 200 == running.get("/assets/dir/large.img", GRUB).status
        assert 0 == running.end()
    (named,) = [line for line in running.errors if not line.startswith("{")]
    assert named.startswith(f"matchboxctl: {data / 'groups' / 'broken.json'}: line 3: selector.os: ")
    assert [] == [line for line in running.errors if "hidden" in line or "dont-log" in line]
    logged = [json.loads(line) for line in running.errors if line.startswith("{")]
    keys = ("route", "method", "group", "profile", "status", "client")
    assert [
        ("/", "GET", None, None, 200, "127.0.0.1"),
        ("/generic", "GET", "g", "p", 200, "127.0.0.1"),
        ("/generic", "GET", None, None, 404, "127.0.0.1"),
        ("/assets/", "GET", None, None, 200, "127.0.0.1"),
    ] == [tuple(line.get(key) for key in keys) for line in logged]
    assert [] == [line for line in logged if line["milliseconds"] < 0]
    assert ["INFO", "INFO", "WARNING", "INFO"] == [line["level"] for line in logged]
    assert "no group matches these labels" == logged[2]["reason"]
    assert "Ignition/2" == logged[1]["user_agent"]


def test_edit_is_seen_by_the_next_request(tmp_path: Path) -> None:
    """Groups, profiles and templates come into being while it serves."""
    with served("--address", "127.0.0.1:0", "--data-path", str(tmp_path)) as running:
        assert 404 == running.get("/ipxe").status
        (tmp_path / "profiles").mkdir()
        (tmp_path / "groups").mkdir()
        (tmp_path / "profiles" / "p.json").write_text('{"boot": {"kernel": "one"}}')
        (tmp_path / "groups" / "g.json").write_text('{"profile": "p"}')
        assert b"#!ipxe\nkernel one\nboot\n" == running.get("/ipxe").body
        (tmp_path / "profiles" / "p.json").write_text('{"boot": {"kernel": "two"}}')
        assert b"#!ipxe\nkernel two\nboot\n" == running.get("/ipxe").body
