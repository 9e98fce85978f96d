"""The commands and shell tests of the note, run as printed, or with the mend that docs/seed.md states."""

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copytree

import pytest

from lambda_matchbox.web.wiring import lambda_app
from matchboxctl.main import main
from tests.rigs.alb_emulator import ALBEmulator
from tests.rigs.oci_registry import OciRegistry
from tests.rigs.service import Service
from tests.rigs.stores import new_stores
from tests.seed.bastion import AS_ROOT, MATCHBOX, on_bastion
from tests.support.images.layers import Entry, gzipped
from tests.support.images.manifests import image
from tests.support.paths import CONFORMANCE
from tests.support.server_threads import in_thread
from tests.support.serving import serving

pytestmark = [pytest.mark.real, pytest.mark.system, AS_ROOT]

# The printed functions are called by nobody; the result of one is that of its last command, unless the shell says else.
API_TEST = "source 02-matchbox-api.sh; test_matchbox_serves_assets; test_matchbox_boot_profile"
CHECKSUM = "curl -s http://10.20.13.140:8080/assets/talos/arm64/vmlinuz.sha256"
FILES = ("vmlinuz", "initramfs.xz", "vmlinuz.sha256", "initramfs.xz.sha256")
DOWNLOAD_AND_VERIFY = f"""\
cd "$1"
for file in {" ".join(FILES)}; do
    curl -fsSLO http://10.20.13.140:8080/assets/talos/arm64/$file
done
sha256sum -c *.sha256
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The note's data directory, with files of the names that it has in `assets/`."""
    data = copytree(MATCHBOX, tmp_path_factory.mktemp("opt") / "matchbox")
    copytree(CONFORMANCE / "seed" / "data" / "assets", data / "assets")
    return data


@pytest.fixture(scope="module")
def port(data: Path) -> Iterator[int]:
    """The port of `serve`, with that directory."""
    with serving(data) as port:
        yield port


@contextmanager
def function(data: Path, stores: Service) -> Iterator[int]:
    """The port of a load balancer in front of the function, with the data imported to table and bucket."""
    made = new_stores(stores, stores)
    made.create()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in made.environment().items():
            patch.setenv(name, value)
        assert 0 == main(["import", str(data)])
    with in_thread(ALBEmulator(0, lambda_app(made.environment()))) as balancer:
        yield balancer.server_port


def bash(script: str, data: Path, port: int = 0, *arguments: Path) -> subprocess.CompletedProcess[str]:
    """Run a script that ends with its first error, where the bastion's port 8080 leads to this port."""
    return on_bastion(f"set -e; {script}", data, *arguments, ports={8080: port})


def test_api_test_passes_against_serve(data: Path, port: int) -> None:
    ended = bash(API_TEST, data, port)
    assert (0, "true\ntrue\n") == (ended.returncode, ended.stdout), ended.stderr


def test_api_test_passes_against_the_function(data: Path, moto_server: Service) -> None:
    with function(data, moto_server) as port:
        ended = bash(API_TEST, data, port)
    assert (0, "true\ntrue\n") == (ended.returncode, ended.stdout), ended.stderr


def test_api_test_misses_a_kernel_unless_errors_end_it(data: Path, port: int) -> None:
    kernel = data / "assets" / "talos" / "arm64" / "vmlinuz"
    absent = kernel.rename(kernel.with_name("absent"))
    try:
        assert 0 == on_bastion(API_TEST, data, ports={8080: port}).returncode
        ended = bash(API_TEST, data, port)
    finally:
        absent.rename(kernel)
    assert (22, True) == (ended.returncode, "404" in ended.stderr)


def test_checksums_are_verified_in_their_directory_only(data: Path) -> None:
    ended = on_bastion("sha256sum -c /opt/matchbox/assets/talos/arm64/*.sha256", data)
    assert (1, True) == (ended.returncode, "vmlinuz: No such file or directory" in ended.stderr)
    ended = on_bastion("cd /opt/matchbox/assets/talos/arm64 && sha256sum -c *.sha256", data)
    assert (0, "initramfs.xz: OK\nvmlinuz: OK\n") == (ended.returncode, ended.stdout)


def test_first_script_leads_a_machine_of_the_group_to_the_kernel(data: Path, port: int) -> None:
    """The printed profile, for the label that the chained address has."""
    script = "curl -s http://10.20.13.140:8080/boot.ipxe; curl -s http://10.20.13.140:8080/ipxe?arch=arm64"
    ended = bash(script, data, port)
    assert "arch=${buildarch:uristring}" in ended.stdout
    assert "\nkernel /assets/talos/arm64/vmlinuz init_on_alloc=1 " in ended.stdout
    assert "\ninitrd /assets/talos/arm64/initramfs.xz\n" in ended.stdout


def test_sync_takes_the_place_of_the_extraction(oci_registry: OciRegistry, tmp_path: Path) -> None:
    """The files of the image are served with checksums, and after another push and sync those of the next one."""
    data = copytree(MATCHBOX, tmp_path / "matchbox")
    (data / "sources").mkdir()
    kernels = (b"the first kernel", b"the second kernel")
    with serving(data) as port:
        for number, kernel in enumerate(kernels):
            above = "output/talos/arm64"
            layer = gzipped(Entry(f"{above}/vmlinuz", kernel), Entry(f"{above}/initramfs.xz", b"initramfs"))
            pushed = oci_registry.push(image([layer]), "public/talos-cozystack-demo", "demo-stable")
            source = {"id": "talos-arm64", "image": pushed, "assets": "talos/arm64"}
            (data / "sources" / "talos-arm64.json").write_text(json.dumps(source))
            assert 0 == main(["sync", "--data-path", str(data)])
            into = tmp_path / f"files-{number}"
            into.mkdir()
            ended = bash(DOWNLOAD_AND_VERIFY, data, port, into)
            assert (0, "initramfs.xz: OK\nvmlinuz: OK\n") == (ended.returncode, ended.stdout), ended.stderr
            assert kernel == (into / "vmlinuz").read_bytes()
            shown = bash(CHECKSUM, data, port).stdout
            assert re.fullmatch(r"[0-9a-f]{64}  vmlinuz\n", shown)
            assert (into / "vmlinuz.sha256").read_text() == shown


def test_manual_test_launches_nothing(data: Path) -> None:
    """It prints what a person has to do."""
    ended = bash("source 03-netboot-e2e.sh; test_talos_node_netboots", data)
    assert (0, 2) == (ended.returncode, len(ended.stdout.splitlines()))
