"""`serve` that is killed in the middle of a download, and started again by the same command."""

import hashlib
import json
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

from tests.rigs.install import on_path
from tests.rigs.program import free_port
from tests.support.serving import started

pytestmark = pytest.mark.real

KERNEL = hashlib.shake_256(b"kernel").digest(32 << 20)
"""32 MiB of which no two blocks are alike."""

TIMEOUT = 60
TARGETS = (
    "/boot.ipxe",
    "/ipxe?mac=52-54-00-12-34-56",
    "/grub?mac=52-54-00-12-34-56",
    "/generic?mac=52-54-00-12-34-56",
    "/metadata?mac=52-54-00-12-34-56",
    "/profiles/worker",
    "/assets/",
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    directory = tmp_path / "data"
    for name in ("groups", "profiles", "generic", "assets"):
        (directory / name).mkdir(parents=True)
    boot = {"kernel": "/assets/vmlinuz", "initrd": [], "args": ["quiet"]}
    profile = {"id": "worker", "generic_id": "worker.yaml", "boot": boot}
    group = {"id": "node", "profile": "worker", "selector": {"mac": "52:54:00:12:34:56"}, "metadata": {"rack": "r1"}}
    (directory / "profiles" / "worker.json").write_text(json.dumps(profile))
    (directory / "groups" / "node.json").write_text(json.dumps(group))
    (directory / "generic" / "worker.yaml").write_text("rack: {{.rack}}\n")
    (directory / "assets" / "vmlinuz").write_bytes(KERNEL)
    return directory


def test_a_download_goes_on_after_serve_was_killed(data: Path, tmp_path: Path) -> None:
    """curl asks the same address for the rest and has the whole file; every other response is what it was before."""
    command = ("--address", f"127.0.0.1:{free_port()}", "--data-path", str(data))
    downloaded = tmp_path / "vmlinuz"
    with started(*command) as serve:
        before = responses(serve.port)
        with download(serve.port, downloaded, "--limit-rate", "2M") as curl:
            wait_for_bytes(downloaded)
            serve.kill()
            assert 0 != curl.wait(TIMEOUT)
    had = downloaded.stat().st_size
    assert 0 < had < len(KERNEL)
    with started(*command) as serve:
        assert before == responses(serve.port)
        with download(serve.port, downloaded, "--continue-at", "-", "--dump-header", "-") as curl:
            said, _ = curl.communicate(timeout=TIMEOUT)
            assert 0 == curl.returncode
        serve.end()
    assert f"content-range: bytes {had}-{len(KERNEL) - 1}/{len(KERNEL)}" in said.lower().splitlines()
    assert KERNEL == downloaded.read_bytes()


def download(port: int, file: Path, *options: str) -> "subprocess.Popen[str]":
    address = f"http://127.0.0.1:{port}/assets/vmlinuz"
    curl = [on_path("curl", "curl"), "--silent", "--fail", "--no-buffer"]
    return subprocess.Popen([*curl, *options, "--output", file, address], stdout=subprocess.PIPE, text=True)


def wait_for_bytes(file: Path) -> None:
    deadline = time.monotonic() + TIMEOUT
    while not (file.exists() and file.stat().st_size):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def responses(port: int) -> list[bytes]:
    found = []
    for target in TARGETS:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{target}", timeout=TIMEOUT) as response:
            found.append(response.read())
    return found
