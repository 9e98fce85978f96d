"""Machines boot from `matchboxctl serve`, over the network, to a Linux that prints its configuration."""

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.boot.clients import boot
from tests.boot.fleet import FLEET, Member, write_data_directory

pytestmark = pytest.mark.boot

QUICK = {"bios-ipxe-new", "arm64"}
START_SECONDS = 30
STOP_SECONDS = 15


@contextmanager
def served(directory: Path, port: int, log: Path) -> Iterator[None]:
    """Runs `matchboxctl serve` on a data directory, from when it answers until the block ends."""
    command = [
        *(sys.executable, "-m", "matchboxctl.main", "serve", "--address", f"127.0.0.1:{port}"),
        *("--data-path", str(directory), "--assets-path", str(directory / "assets")),
    ]
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT) as server:
        try:
            deadline = time.monotonic() + START_SECONDS
            while not answers(port):
                if server.poll() is not None or time.monotonic() > deadline:
                    pytest.fail(f"matchboxctl serve does not answer on port {port}: {log.read_text()}")
                time.sleep(0.1)
            yield
        finally:
            server.terminate()
            try:
                server.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                server.kill()
                raise


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
            body: bytes = answer.read()
            return body == b"matchbox\n"
    except urllib.error.URLError:
        return False


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.mark.parametrize(
    "member",
    [
        pytest.param(member, id=member.name, marks=() if member.name in QUICK else pytest.mark.nightly)
        for member in FLEET
    ],
)
def test_machine_boots_to_its_own_configuration(member: Member, tmp_path: Path) -> None:
    """A machine that boots from the network fetches the configuration of its own group, among the whole fleet's."""
    data, scratch = tmp_path / "data", tmp_path / "machine"
    scratch.mkdir()
    port = free_port()
    write_data_directory(data, member, port)
    with served(data, port, tmp_path / "server.log"):
        result = boot(member.client, port, member.machine, scratch)
    assert member.configuration == result.configuration, result.console
