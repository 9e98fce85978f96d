"""`matchboxctl serve` as a real process, over HTTP."""

import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from matchboxctl import __version__
from tests.support.data_files import write_files
from tests.support.serving import COMMAND, LIMIT, Serve, refused_start, started

pytestmark = pytest.mark.system

LARGE = bytes(3_000_000)
SLOW = 64 << 20
"""More bytes than the system takes for a client that does not read."""

GRUB = "GRUB 2.06"


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
def server(data: Path) -> Iterator[Serve]:
    with started("--address", "127.0.0.1:0", "--data-path", str(data)) as running:
        yield running


def test_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        assert f"cannot listen on {address}: " in refused_start("--address", address, "--data-path", str(tmp_path))


def test_missing_data_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name in ("absent", "file"):
        line = refused_start("--address", "127.0.0.1:0", "--data-path", str(tmp_path / name))
        assert f"{tmp_path / name} is not a directory" in line
        assert "--data-path" in line


def test_secrets_are_no_assets(tmp_path: Path) -> None:
    data = tmp_path / "data"
    flags = ("--address", "127.0.0.1:0", "--data-path", str(data))
    write_files(data, {"secrets/a": "value"})
    for assets in (tmp_path, data, data / "secrets"):
        line = refused_start(*flags, "--assets-path", str(assets))
        assert (
            f"matchboxctl: {data / 'secrets'} is in the directory of assets, {assets}, which anyone may get: " in line
        )


def test_missing_assets_directory_is_named(tmp_path: Path) -> None:
    """Unless it is the default one."""
    flags = ("--address", "127.0.0.1:0", "--data-path", str(tmp_path))
    for line in (
        refused_start(*flags, "--assets-path", "/nowhere"),
        refused_start(*flags, environment=os.environ | {"MATCHBOX_ASSETS_PATH": "/nowhere"}),
    ):
        assert "matchboxctl: --assets-path (MATCHBOX_ASSETS_PATH) '/nowhere' is not a directory" == line
    with started(*flags) as running:
        assert 404 == running.get("/assets/vmlinuz").status


def test_file_in_place_of_groups_is_named(tmp_path: Path) -> None:
    (tmp_path / "groups").touch()
    line = refused_start("--address", "127.0.0.1:0", "--data-path", str(tmp_path))
    assert f"{tmp_path / 'groups'} is not a directory" in line


@pytest.mark.parametrize(
    "address", ["nonsense", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:\u00b2", f"{'a' * 70}.test:0"]
)
def test_invalid_address_is_named(tmp_path: Path, address: str) -> None:
    assert address in refused_start("--address", address, "--data-path", str(tmp_path))


def test_invalid_log_level_in_the_environment_is_named(tmp_path: Path) -> None:
    environment = {"MATCHBOX_LOG_LEVEL": "loud", "MATCHBOX_DATA_PATH": str(tmp_path)}
    assert "'loud'" in refused_start("--address", "127.0.0.1:0", environment=os.environ | environment)
    assert "'loud'" in refused_start("--address", "127.0.0.1:0", "-log-level", "loud", "--data-path", str(tmp_path))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_with_exit_code_0(data: Path, number: int) -> None:
    """Even with an open connection."""
    with started("--address", "127.0.0.1:0", "--data-path", str(data)) as running:
        with socket.create_connection(("127.0.0.1", running.port), timeout=LIMIT):
            running.end(number)
        assert [] == [line for line in running.errors if "Traceback" in line]


@pytest.mark.parametrize("grace", ["0", "60"])
def test_download_ends_within_grace_or_is_cut(tmp_path: Path, grace: str) -> None:
    (tmp_path / "assets").mkdir()
    with (tmp_path / "assets" / "large.img").open("wb") as large:
        large.truncate(SLOW)
    flags = ("--address", "127.0.0.1:0", "--data-path", str(tmp_path), "--grace", grace)
    with started(*flags) as running, socket.create_connection(("127.0.0.1", running.port), LIMIT) as client:
        client.sendall(b"GET /assets/large.img HTTP/1.0\r\n\r\n")
        received = len(client.recv(1000))
        with ThreadPoolExecutor() as threads, client.makefile("rb") as rest:
            ending = threads.submit(running.end)
            if grace == "0":
                ending.result()
            while part := rest.read1():
                received += len(part)
            ending.result()
    assert (received > SLOW) is (grace == "60")


def test_flags_override_the_environment(data: Path, tmp_path: Path) -> None:
    """They may have one dash, as in Go."""
    (tmp_path / "only").write_text("other assets")
    environment = {
        "MATCHBOX_DATA_PATH": str(data),
        "MATCHBOX_ASSETS_PATH": "/nowhere",
        "MATCHBOX_ADDRESS": "nonsense",
        "MATCHBOX_LOG_LEVEL": "error",
    }
    flags = ("-address", "127.0.0.1:0", f"-assets-path={tmp_path}")
    with started(*flags, environment=os.environ | environment) as running:
        assert b"other assets" == running.get("/assets/only").body
        assert 200 == running.get("/ipxe?os=a").status
        running.end()
        assert [] == [line for line in running.errors if line.startswith("{")]


def test_empty_assets_path_serves_no_assets(data: Path) -> None:
    """As with matchbox."""
    with started("-address", "127.0.0.1:0", f"-data-path={data}", "-assets-path=") as running:
        assert 200 == running.get("/ipxe?os=a").status
        assert [404, 404] == [running.get(f"/assets/{path}").status for path in ("small", "dir/large.img")]


def test_version_and_what_is_no_time(data: Path) -> None:
    ended = subprocess.run([*COMMAND, "-version"], capture_output=True, text=True, check=True)
    assert __version__ == ended.stdout.strip()
    assert "matchboxctl: --grace (MATCHBOX_GRACE) must be a number of seconds" == refused_start(
        "--data-path", str(data), "--grace", "nan"
    )


def test_startup_banner_has_examples(server: Serve, data: Path) -> None:
    text = "\n".join(server.startup_banner)
    assert f"serving {data} (directory mode): 1 group, 1 profile" == server.startup_banner[0]
    assert f"curl 'http://127.0.0.1:{server.port}/ipxe?os=a'" in text
    (boot,) = [line for line in server.startup_banner if line.startswith("  dhcp-boot=tag:ipxe,http://")]
    assert boot.endswith(f":{server.port}/boot.ipxe")
    assert f"(only this machine reaches it: serve others with --address 0.0.0.0:{server.port})" in text


def test_broken_group_is_reported_once(data: Path) -> None:
    """Each request is one JSON line without its response."""
    with started("--address", "127.0.0.1:0", "--data-path", str(data)) as running:
        rendered = running.get("/generic?os=a&password=dont-log", "Ignition/2")
        assert (200, b"token=hidden dont-log") == (rendered.status, rendered.body)
        assert 404 == running.get("/generic?os=b").status
        assert 200 == running.get("/assets/dir/large.img", GRUB).status
        running.end()
    (named,) = [line for line in running.errors if not line.startswith("{")]
    assert named.startswith(f"matchboxctl: {data / 'groups' / 'broken.json'}: line 3: selector.os: ")
    assert [] == [line for line in running.errors if "hidden" in line or "dont-log" in line]
    logged = [json.loads(line) for line in running.errors if line.startswith("{")]
    assert all(re.fullmatch(r"[0-9-]{10}T[0-9:.]{12}[+-][0-9]{2}:[0-9]{2}", line["timestamp"]) for line in logged)
    keys = ("route", "method", "group", "profile", "status", "client")
    assert [
        ("/", "GET", "", "", 200, "127.0.0.1"),
        ("/generic", "GET", "g", "p", 200, "127.0.0.1"),
        ("/generic", "GET", "", "", 404, "127.0.0.1"),
        ("/assets/", "GET", None, None, 200, "127.0.0.1"),
    ] == [tuple(line.get(key) for key in keys) for line in logged]
    assert [] == [line for line in logged if line["milliseconds"] < 0]
    assert ["INFO", "INFO", "WARNING", "INFO"] == [line["level"] for line in logged]
    assert "no group matches these labels" == logged[2]["reason"]
    assert "Ignition/2" == logged[1]["user_agent"]


def test_edit_is_seen_by_the_next_request(tmp_path: Path) -> None:
    with started("--address", "127.0.0.1:0", "--data-path", str(tmp_path)) as running:
        assert 404 == running.get("/ipxe").status
        (tmp_path / "profiles").mkdir()
        (tmp_path / "groups").mkdir()
        (tmp_path / "profiles" / "p.json").write_text('{"boot": {"kernel": "one"}}')
        (tmp_path / "groups" / "g.json").write_text('{"profile": "p"}')
        assert b"#!ipxe\nkernel one\nboot\n" == running.get("/ipxe").body
        (tmp_path / "profiles" / "p.json").write_text('{"boot": {"kernel": "two"}}')
        assert b"#!ipxe\nkernel two\nboot\n" == running.get("/ipxe").body
