"""A boot of `examples/talos`, with a kernel and an initramfs that were synced from a container registry."""

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from matchboxctl.directory.releases import read_pointers
from tests.boot import guest
from tests.boot.clients import CLIENTS, boot
from tests.boot.example import EXAMPLE, SOURCE, assert_configured, write_example
from tests.boot.exchanges import relayed
from tests.boot.fleet import identity
from tests.boot.networks import Servers
from tests.boot.unified_kernel import unified_kernel
from tests.rigs.flux import push_artifact
from tests.rigs.oci_registry import OciRegistry
from tests.rigs.oci_registry import oci_registry as registry_rig
from tests.rigs.program import free_port
from tests.support.images.layers import Entry, gzipped, plain
from tests.support.images.manifests import image, index
from tests.support.serving import started

pytestmark = pytest.mark.boot

MACHINE = identity(9)
LIMIT = 600


def from_an_index(request: pytest.FixtureRequest, directory: Path) -> str:
    files = [
        Entry("output/talos/arm64/vmlinuz", guest.kernel("arm64").read_bytes()),
        Entry("output/talos/arm64/initramfs.xz", guest.initramfs("arm64", talos=True)),
    ]
    made = index(
        [(image([gzipped(Entry("etc/os-release", b"NAME=x\n")), plain(*files)]), "linux/arm64")], attestation=True
    )
    registry: OciRegistry = request.getfixturevalue("oci_registry")
    return registry.push(made, "cozystack/talos", "demo-stable")


def packed_by_flux(request: pytest.FixtureRequest, directory: Path) -> str:
    (directory / "vmlinuz").write_bytes(guest.kernel("arm64").read_bytes())
    (directory / "initramfs.xz").write_bytes(guest.initramfs("arm64", talos=True))
    registry: OciRegistry = request.getfixturevalue("open_registry")
    address = f"{registry.host}/cozystack/talos:demo-stable"
    push_artifact(address, directory, "v1.13.0")
    return address


def in_an_installer(request: pytest.FixtureRequest, directory: Path) -> str:
    """As those of Talos's Image Factory."""
    kernel = unified_kernel("arm64", guest.initramfs("arm64", talos=True), ["talos.platform=metal"], directory)
    artefacts = gzipped(Entry("usr/install/arm64/vmlinuz.efi", kernel), Entry("usr/install/arm64/systemd-boot.efi"))
    made = index([(image([gzipped(Entry("usr/bin/installer", b"ELF")), artefacts], docker=True), "linux/arm64")])
    registry: OciRegistry = request.getfixturevalue("oci_registry")
    return registry.push(made, f"public/metal-installer/{'0' * 64}", "v1.13.0")


@pytest.fixture
def open_registry() -> Iterator[OciRegistry]:
    """Flux's client asks no token server at a loopback address."""
    with registry_rig(tokens=False) as registry:
        yield registry


@pytest.mark.parametrize(
    "push",
    [
        from_an_index,
        pytest.param(packed_by_flux, marks=pytest.mark.nightly),
        pytest.param(in_an_installer, marks=pytest.mark.nightly),
    ],
)
def test_machine_boots_a_synced_release(
    request: pytest.FixtureRequest, tmp_path: Path, push: Callable[[pytest.FixtureRequest, Path], str]
) -> None:
    packed = tmp_path / "packed"
    packed.mkdir()
    reference = push(request, packed)
    data, scratch = tmp_path / "data", tmp_path / "machine"
    scratch.mkdir()
    write_example(data, own_images=False)
    source = json.loads((EXAMPLE / SOURCE).read_text())
    (data / SOURCE).write_text(json.dumps(source | {"image": reference}))
    with started("--sync", "--address", f"127.0.0.1:{free_port()}", "--data-path", str(data)) as serve:
        end = time.monotonic() + LIMIT
        while not (pointers := read_pointers(data / "releases")):
            assert time.monotonic() < end, serve.errors
            time.sleep(0.2)
        with relayed(serve.port) as relay:
            result = boot(CLIENTS["arm64"], Servers(relay.port), MACHINE, scratch)
        assert_configured(result.configuration, MACHINE, data)
        (asked,) = relay.exchanges("/ignition")
        assert re.search(rf"\?uuid={MACHINE.uuid}&mac={MACHINE.mac.replace(':', '-')}&token=[\w-]+&arch=", asked.target)
        release = f"?release={pointers['talos-arm64'].current}"
        for name in ("vmlinuz", "initramfs.xz"):
            (asked,) = relay.exchanges(f"/assets/talos/arm64/{name}")
            assert asked.target.endswith(release)
        serve.end()
