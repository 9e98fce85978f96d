"""The commands and shell tests of the note, run as printed, or with the change that docs/seed.md states."""

import hashlib
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

from lambda_matchbox.web.wiring import lambda_app
from matchboxctl.main import main
from tests.rigs.alb_emulator import ALBEmulator
from tests.rigs.service import Service
from tests.rigs.stores import new_stores
from tests.seed.bastion import AS_ROOT, GHCR, MATCHBOX, on_bastion
from tests.support.certificates import tls_server
from tests.support.images.layers import Entry, gzipped
from tests.support.images.manifests import image
from tests.support.paths import CONFORMANCE, EXAMPLES
from tests.support.registry_serving import faulty_registry
from tests.support.server_threads import in_thread
from tests.support.serving import serving

pytestmark = [pytest.mark.real, pytest.mark.system, AS_ROOT]

# The printed functions are called by nobody; the result of one is that of its last command, unless the shell says else.
API_TEST = "source 02-matchbox-api.sh; test_matchbox_serves_assets; test_matchbox_boot_profile"
FILES = "/opt/matchbox/assets/talos/arm64"
REST = """\
rest=$(sed -n '/^# Verify/,$p' extract-talos-assets.sh)
for file in passwd group; do
    echo '{user}:x:65533:65533::/:' > "$BASTION/$file"
    mount --bind "$BASTION/$file" /etc/$file
done
cd {place}
eval "$rest"
"""
SYNC = f"""\
set -e
{GHCR}
mkdir /opt/bastion-setup
echo 'matchboxctl sync --data-path /opt/matchbox' > /opt/bastion-setup/extract-talos-assets.sh
chmod +x /opt/bastion-setup/extract-talos-assets.sh
bash -c '/opt/bastion-setup/extract-talos-assets.sh'
cd "$1"
for file in vmlinuz initramfs.xz vmlinuz.sha256 initramfs.xz.sha256; do
    curl -fsSLO http://10.20.13.140:8080/assets/talos/arm64/$file
done
sha256sum -c *.sha256
curl -s http://10.20.13.140:8080/assets/talos/arm64/vmlinuz.sha256
"""


LARGE = 2 << 20
"""More bytes than the load balancer takes."""


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
    made.put_asset("large", bytes(LARGE))
    with in_thread(ALBEmulator(0, lambda_app(made.environment()))) as balancer:
        yield balancer.server_port


def bash(script: str, data: Path, port: int = 0) -> subprocess.CompletedProcess[str]:
    """Run a script that ends with its first error, where the bastion's port 8080 leads to this port."""
    return on_bastion(f"set -e; {script}", data, ports={8080: port})


def test_api_test_passes_against_serve(data: Path, port: int) -> None:
    ended = bash(API_TEST, data, port)
    assert (0, "true\ntrue\n") == (ended.returncode, ended.stdout), ended.stderr


def test_api_test_passes_against_the_function(data: Path, moto_server: Service) -> None:
    with function(data, moto_server) as port:
        ended = bash(API_TEST, data, port)
        redirected = bash("curl -sf -o /dev/null -w %{http_code} http://10.20.13.140:8080/assets/large", data, port)
    assert (0, "true\ntrue\n") == (ended.returncode, ended.stdout), ended.stderr
    # What `curl -f` takes for the file, and `-L` would follow.
    assert "302" == redirected.stdout


def test_api_test_misses_a_kernel_unless_errors_end_it(data: Path, port: int) -> None:
    kernel = data / "assets" / "talos" / "arm64" / "vmlinuz"
    absent = kernel.rename(kernel.with_name("absent"))
    try:
        assert 0 == on_bastion(API_TEST, data, ports={8080: port}).returncode
        ended = bash(API_TEST, data, port)
    finally:
        absent.rename(kernel)
    assert (22, True) == (ended.returncode, "404" in ended.stderr)


@pytest.mark.parametrize(
    ("place", "user", "refused"),
    [
        (".", "matchbox", "vmlinuz: No such file or directory"),
        (FILES, "root", "chown: invalid user: "),
        (FILES, "matchbox", ""),
    ],
)
def test_rest_of_the_script_needs_its_directory_and_a_user(
    place: str, user: str, refused: str, data: Path, tmp_path: Path
) -> None:
    """With the files in place, from where the script verifies them."""
    own = copytree(data, tmp_path / "matchbox", ignore=ignore_patterns("state.*", "history.*"))
    ended = bash(REST.format(place=place, user=user), own)
    assert (refused != "", "✅" in ended.stdout) == (ended.returncode == 1, refused == "")
    assert refused in ended.stderr
    if not refused:
        assert ["initramfs.xz: OK", "vmlinuz: OK"] == [line for line in ended.stdout.splitlines() if ": OK" in line]
        assert {0o644} == {stat.S_IMODE(file.stat().st_mode) for file in (own / "assets" / "talos" / "arm64").iterdir()}


def test_first_script_leads_a_machine_of_the_group_to_the_kernel(data: Path, port: int) -> None:
    """The printed profile, for the label that the chained address has."""
    script = "curl -s http://10.20.13.140:8080/boot.ipxe; curl -s http://10.20.13.140:8080/ipxe?arch=arm64"
    ended = bash(script, data, port)
    assert "arch=${buildarch:uristring}" in ended.stdout
    assert "\nkernel /assets/talos/arm64/vmlinuz init_on_alloc=1 " in ended.stdout
    assert "\ninitrd /assets/talos/arm64/initramfs.xz\n" in ended.stdout


def test_sync_takes_the_place_of_the_extraction(tmp_path: Path) -> None:
    """At the path of the note's script, with the source of examples/talos: GHCR's image, then its next one."""
    data = copytree(MATCHBOX, tmp_path / "matchbox")
    copytree(EXAMPLES / "talos" / "sources", data / "sources")
    context, trusted = tls_server(tmp_path, ["ghcr.io"])
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "SSL_CERT_FILE": str(trusted),
    }
    with faulty_registry(context) as ghcr, serving(data) as port:
        ports = {443: int(ghcr.host.rpartition(":")[2]), 8080: port}
        ghcr.host, ghcr.realm = "ghcr.io", "https://ghcr.io/token"
        ghcr.scheme, ghcr.redirects = "bearer", False
        for kernel in (b"the first kernel", b"the second kernel"):
            above = "output/talos/arm64"
            layer = gzipped(Entry(f"{above}/vmlinuz", kernel), Entry(f"{above}/initramfs.xz", b"initramfs"))
            ghcr.add("urmanac/talos-cozystack-demo", "demo-stable", image([layer]))
            into = tmp_path / kernel.decode()
            into.mkdir()
            ended = on_bastion(SYNC, data, into, ports=ports, environment=environment)
            assert (0, "") == (ended.returncode, ended.stderr)
            digest = hashlib.sha256(kernel).hexdigest()
            synced, *verified, shown = ended.stdout.splitlines()
            assert synced.startswith("talos-arm64: published sha256:")
            assert ["initramfs.xz: OK", "vmlinuz: OK"] == verified
            assert f"{digest}  vmlinuz" == shown
            assert kernel == (into / "vmlinuz").read_bytes()


def test_manual_test_launches_nothing(data: Path) -> None:
    """It prints what a person has to do."""
    ended = bash("source 03-netboot-e2e.sh; test_talos_node_netboots", data)
    assert (0, 2) == (ended.returncode, len(ended.stdout.splitlines()))
