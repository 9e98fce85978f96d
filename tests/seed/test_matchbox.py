"""What the note's own server, matchbox 0.11.0, makes of it."""

import subprocess
from pathlib import Path
from shutil import copytree

import pytest
import yaml

from tests.rigs.matchbox_server import matchbox, running_matchbox
from tests.seed.bastion import AS_ROOT, DOCUMENT, MATCHBOX, on_bastion
from tests.support.paths import CONFORMANCE

pytestmark = [pytest.mark.real, pytest.mark.system, pytest.mark.nightly]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    data = copytree(MATCHBOX, tmp_path / "matchbox")
    copytree(CONFORMANCE / "seed" / "data" / "assets", data / "assets")
    profile = data / "profiles" / "cozystack-arm64.json"
    profile.write_text(profile.read_text().replace('"boot"', '"ignition_id": "cozystack-config.yaml", "boot"', 1))
    return data


@AS_ROOT
def test_matchbox_serves_the_assets_but_no_profile(data: Path, tmp_path: Path) -> None:
    with running_matchbox(data, tmp_path) as addresses:
        ports = {8080: int(addresses.http.rpartition(":")[2])}
        script = (
            "set -e; source 02-matchbox-api.sh; test_matchbox_serves_assets; echo served; test_matchbox_boot_profile"
        )
        ended = on_bastion(script, data, ports=ports)
    assert ("served\n", True) == (ended.stdout, ended.returncode != 0)
    assert "GET /profiles/cozystack-arm64" in (tmp_path / "log").read_text()


@AS_ROOT
def test_matchbox_takes_the_configuration_for_butane(data: Path, tmp_path: Path) -> None:
    with running_matchbox(data, tmp_path) as addresses:
        ports = {8080: int(addresses.http.rpartition(":")[2])}
        ended = on_bastion("curl -s 'http://10.20.13.140:8080/ignition?uuid=1&arch=arm64'", data, ports=ports)
    assert "404 page not found\n" == ended.stdout
    assert "error translating Butane Config" in (tmp_path / "log").read_text()


def test_matchbox_does_not_start_with_the_printed_variables_alone(data: Path) -> None:
    environment = yaml.safe_load((DOCUMENT / "docker-compose.yml").read_text())["services"]["matchbox"]["environment"]
    # Ports that are free, since it reads its certificates before it takes them.
    given = {name: value.replace("0.0.0.0", "127.0.0.1") for name, value in environment.items()}
    command = [matchbox(), "-data-path", data, "-assets-path", data / "assets"]
    ended = subprocess.run(command, env=given, capture_output=True, text=True, timeout=60, check=False)
    assert (1, True) == (ended.returncode, "Provide a valid TLS server certificate with -cert-file" in ended.stderr)
