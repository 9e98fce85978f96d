"""What cloud-init does with `examples/cloud-init`, by bash and curl, with a file for the disk; and its own schema."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from matchboxctl.main import main
from tests.rigs.debian_packages import Package
from tests.rigs.install import on_path
from tests.support.example_data import JOIN_TOKEN, example_with_secrets, with_token
from tests.support.serving import Serve, started

pytestmark = pytest.mark.real

UUID = "6b9f1f2e-03c5-4d1a-9a57-000000000001"
MACHINE = f"mac=52-54-00-aa-bb-cc&uuid={UUID}"
IMAGE = "assets/ubuntu/amd64/disk.raw"
ABSENT = ("partprobe", "udevadm", "mount", "umount", "reboot")
"""Programs that change the system."""

SCHEMAS = "usr/lib/python3/dist-packages/cloudinit/config/schemas"
CLOUD_INIT = Package("trixie", "amd64", "cloud-init", (SCHEMAS,))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return example_with_secrets("cloud-init", tmp_path / "data")


@pytest.fixture
def serve(data: Path) -> Iterator[Serve]:
    with started("--address", "127.0.0.1:0", "--data-path", str(data)) as serve:
        yield serve
        serve.end()


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """That of cloud-init, for a cloud-config."""
    found: dict[str, Any] = json.loads((CLOUD_INIT.directory / SCHEMAS / "schema-cloud-config-v1.json").read_text())
    return found


def installed(serve: Serve, root: Path) -> subprocess.CompletedProcess[str]:
    """Do as cloud-init does, but below `root`, where the disk is a file."""
    for directory in ("proc", "mnt", "run", "bin"):
        (root / directory).mkdir(parents=True)
    query = with_token(serve, MACHINE)
    address = f"http://127.0.0.1:{serve.port}/cloud?{query}"
    (root / "proc" / "cmdline").write_text(f"ip=dhcp cloud-config-url={address} quiet\n")
    config: dict[str, Any] = yaml.safe_load(serve.get(f"/cloud?{query}").body)
    for file in config["write_files"]:
        path = Path(f"{root}{file['path']}")
        path.parent.mkdir(exist_ok=True)
        path.write_text(re.sub(r"(?<![\w}])/(?:dev/(?=sda)|(?=proc/|mnt\b|run/))", f"{root}/", file["content"]))
    for name in ABSENT:
        (root / "bin" / name).write_text("#!/bin/sh\n")
        (root / "bin" / name).chmod(0o755)
    on_path("curl", "curl")
    ((program, script),) = config["runcmd"]
    environment = {**os.environ, "PATH": f"{root}/bin:{os.environ['PATH']}"}
    return subprocess.run(
        [on_path(program, program), f"{root}{script}"], env=environment, capture_output=True, text=True, check=False
    )


def described(data: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    assert 0 == main(["machine", "describe", "52-54-00-aa-bb-cc", "--data-path", str(data), "-o", "json"])
    document: dict[str, Any] = yaml.safe_load(capsys.readouterr().out)
    return document


def test_machine_installs_reports_and_boots_from_its_disk(
    data: Path, serve: Serve, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image, root = data / IMAGE, tmp_path / "root"
    image.parent.mkdir(parents=True)
    image.write_bytes(b"an image")
    ended = installed(serve, root)
    assert (0, "reported\n") == (ended.returncode, ended.stdout), ended.stderr
    assert b"an image" == (root / "sda").read_bytes()
    seed = root / "mnt" / "var" / "lib" / "cloud" / "seed" / "nocloud"
    assert f"ubuntu-{UUID}" == yaml.safe_load((seed / "meta-data").read_text())["local-hostname"]
    assert JOIN_TOKEN == yaml.safe_load((seed / "user-data").read_text())["write_files"][0]["content"]
    assert "installed" == described(data, capsys)["state"]
    assert b"is installed and boots from its disk" in serve.get(f"/ipxe?{MACHINE}").body


def test_both_cloud_configs_are_cloud_inits(serve: Serve, schema: dict[str, Any]) -> None:
    """That of the system in memory, and that of the installed one."""
    config = yaml.safe_load(serve.get(f"/cloud?{with_token(serve, MACHINE)}").body)
    (user_data,) = (yaml.safe_load(file["content"]) for file in config["write_files"] if "user-data" in file["path"])
    for one in (config, user_data):
        jsonschema.validate(one, schema)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(one | {"write_file": []}, schema)


def test_installation_that_fails_is_reported_and_repeated(
    data: Path, serve: Serve, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """There is no image."""
    ended = installed(serve, tmp_path / "root")
    assert 0 != ended.returncode
    assert re.fullmatch(r"line \d+ of the installation", described(data, capsys)["failed"])
    assert b"kernel /assets" in serve.get(f"/ipxe?{MACHINE}").body


def test_phone_home_reports(data: Path, serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    """It posts a form to the address that the README of the example shows."""
    query = with_token(serve, MACHINE)
    assert 200 == serve.get(f"/cloud?{query}").status
    report = [on_path("curl", "curl"), "--fail", "--silent", "--data", "instance_id=1"]
    assert b"reported\n" == subprocess.check_output([*report, f"http://127.0.0.1:{serve.port}/report?{query}"])
    assert "installed" == described(data, capsys)["state"]
