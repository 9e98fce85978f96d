"""What the note runs by Docker and by Compose, run by Docker itself: as printed, and what takes its place."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree

import pytest
import yaml

from tests.rigs.container_image import Image
from tests.rigs.debian_packages import machine_architecture
from tests.rigs.docker import BEGIN, docker_environment
from tests.rigs.docker_images import dnsmasq_root, import_dnsmasq, import_matchbox
from tests.rigs.oci_registry import OciRegistry, oci_registry
from tests.seed.bastion import AS_ROOT, DOCUMENT, GHCR, MATCHBOX, on_bastion
from tests.seed.test_dnsmasq import ASK
from tests.support.images.layers import Entry, plain
from tests.support.images.manifests import image
from tests.support.paths import CONFORMANCE, PROJECT

pytestmark = [pytest.mark.real, pytest.mark.system, pytest.mark.nightly, AS_ROOT]

ABOVE = "output/talos/arm64"
COMPOSE = PROJECT / "deploy" / "compose"
# The directory of TFTP, without which dnsmasq does not start, is any.
PRINTED_COMPOSE = """\
mkdir -p /opt/bastion-setup
sed 's:/var/lib/matchbox/assets:/usr:' dnsmasq.conf > /opt/bastion-setup/dnsmasq.conf
docker compose --file docker-compose.yml up --detach || docker logs dnsmasq
"$@"
"""

MAC = "52:54:00:00:00:01"
BOOT = "http://10.20.13.140:8080/boot.ipxe"
OFFERED = {"0": "undionly.kpxe", "7": "ipxe.efi", "11": "ipxe-arm64.efi", "0:iPXE": BOOT, "11:iPXE": BOOT}
REPAIRED_COMPOSE = f"""\
cd "$1"
chown -R 65532:65532 /opt/matchbox
docker compose up --detach --no-build
until curl --silent --fail http://10.20.13.140:8080/ > /dev/null; do sleep 0.2; done
source "$2/02-matchbox-api.sh"
test_matchbox_serves_assets
test_matchbox_boot_profile
curl --silent 'http://10.20.13.140:8080/ipxe?mac={MAC}&arch=arm64'
curl --silent --fail tftp://10.20.13.140/ipxe-arm64.efi | cmp - "$3"
"${{@:4}}"
until docker compose exec --no-TTY matchbox matchboxctl machine list > list; grep {MAC} list; do sleep 0.2; done
docker compose logs dnsmasq
docker compose down
"""


@pytest.fixture(scope="module")
def ghcr() -> Iterator[OciRegistry]:
    """A registry with the note's image: files, as the note names them."""
    layer = plain(Entry(f"{ABOVE}/vmlinuz", b"kernel"), Entry(f"{ABOVE}/initramfs.xz", b"initramfs"))
    with oci_registry(tokens=False, redirect=False) as registry:
        one = image([layer], platform=f"linux/{machine_architecture()}")
        registry.push(one, "urmanac/talos-cozystack-demo", "demo-stable")
        yield registry


@pytest.fixture
def data(tmp_path: Path) -> Path:
    data = copytree(MATCHBOX, tmp_path / "matchbox")
    copytree(CONFORMANCE / "seed" / "data" / "assets", data / "assets")
    return data


def docker(
    script: str, data: Path, *arguments: str | Path, registry: OciRegistry | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run a script beside a daemon, which finds the registry as ghcr.io."""
    directory = data.with_name("docker")
    directory.mkdir()
    ports = {} if registry is None else {80: int(registry.host.rpartition(":")[2])}
    environment = docker_environment(directory, "ghcr.io") | {"PYTHONPATH": str(PROJECT)}
    return on_bastion(f"set -e\n{GHCR}{BEGIN}{script}", data, *arguments, ports=ports, environment=environment)


def test_printed_script_pulls_the_image_and_extracts_nothing(data: Path, ghcr: OciRegistry) -> None:
    ended = docker("bash extract-talos-assets.sh", data, registry=ghcr)
    assert "Status: Downloaded newer image for ghcr.io/urmanac/talos-cozystack-demo:demo-stable" in ended.stdout
    assert (126, True) == (ended.returncode, 'exec: "/output/talos/arm64/": permission denied' in ended.stderr)


def test_printed_test_of_the_extraction_pulls_the_image_and_fails(data: Path, ghcr: OciRegistry) -> None:
    functions = "test_ghcr_image_pullable; echo pulled; test_assets_extract_correctly"
    ended = docker(
        f"trap 'rmdir /tmp/test-assets' EXIT; source 01-asset-extraction.sh; {functions}", data, registry=ghcr
    )
    assert (127, "pulled") == (ended.returncode, ended.stdout.splitlines()[-1])
    assert 'exec: "/output/talos/arm64/": stat /output/talos/arm64/: no such file or directory' in ended.stderr


def test_printed_services_cannot_have_one_address_and_offer_none(data: Path, matchbox_image: Image) -> None:
    """The first of them starts, and no machine's broadcast reaches it."""
    matchbox = import_matchbox(matchbox_image, "quay.io/poseidon/matchbox:v0.11.0")
    images = import_dnsmasq("dnsmasq/dnsmasq:latest") + matchbox
    ended = docker(images + PRINTED_COMPOSE, data, sys.executable, "-c", ASK, "0")
    assert "DHCP, IP range 10.20.13.150 -- 10.20.13.200, lease time 1d" in ended.stdout + ended.stderr
    assert "Address already in use" in ended.stderr
    assert (1, "TimeoutError: no offer for architecture 0") == (ended.returncode, ended.stderr.splitlines()[-1])


def test_services_of_deploy_serve_the_note_to_its_network(data: Path, matchbox_image: Image, tmp_path: Path) -> None:
    """Started by Compose, with images that have what those that it names would have."""
    file = copytree(COMPOSE, tmp_path / "compose") / "compose.yaml"
    file.write_text(file.read_text().replace("OWNER", "owner"))
    name = yaml.safe_load(file.read_text())["services"]["matchbox"]["image"]
    images = import_dnsmasq("lambda-matchbox-dnsmasq") + import_matchbox(matchbox_image, name)
    ipxe = dnsmasq_root() / "usr" / "lib" / "ipxe" / "ipxe-arm64.efi"
    client = (sys.executable, "-c", ASK, *OFFERED)
    ended = docker(images + REPAIRED_COMPOSE, data, file.parent, DOCUMENT, ipxe, *client)
    assert 0 == ended.returncode, ended.stderr
    lines = ended.stdout.splitlines()
    assert 2 == lines.count("true")
    assert [OFFERED] == [json.loads(line) for line in lines if line.startswith("{")]
    assert [1, 1] == [len([line for line in lines if part in line]) for part in ("kernel /assets/talos/", MAC)]
    # dnsmasq may be asked again before it answers.
    assert len(OFFERED) == len(set(re.findall(r"(\d+) DHCPOFFER\(eth0\) 10\.20\.13\.", ended.stdout)))
