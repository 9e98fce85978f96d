"""Images of every shape from a real registry, synced and served; `sha256sum` verifies them."""

import gzip
import hashlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.real.source_commands import SourceCommands, fetch
from tests.rigs.install import on_path
from tests.rigs.oci_registry import OciRegistry
from tests.rigs.stores import new_stores
from tests.support.images.layers import (
    DOCKER,
    FLUX,
    OCI,
    Entry,
    Layer,
    directory,
    gzipped,
    plain,
    raw_file,
    symlink,
    zstandard_compressed,
)
from tests.support.images.manifests import Image, image, index
from tests.support.images.sparse import gnu_tar
from tests.support.images.uki import Section, uki
from tests.support.serving import Serve

pytestmark = pytest.mark.real

# Longer than what the balancer takes, so that it is had by a redirect.
KERNEL = hashlib.shake_256(b"kernel").digest(1_500_000) + bytes(300_000) + hashlib.shake_256(b"end").digest(200_000)
INITRAMFS = hashlib.shake_256(b"initramfs").digest(300_000)
KERNEL_SHA256, INITRAMFS_SHA256 = (hashlib.sha256(body).hexdigest() for body in (KERNEL, INITRAMFS))
EFI = uki(
    [
        Section(".linux", KERNEL),
        Section(".initrd", INITRAMFS),
        Section(".cmdline", b"console=ttyAMA0"),
        Section(".linux", b"of another profile"),
    ]
)

OTHER_EFI = uki([Section(".linux", b"amd64"), Section(".initrd", b"amd64"), Section(".cmdline", b"console=ttyS0")])


def pair(above: str, kernel: bytes = KERNEL, initramfs: bytes = INITRAMFS) -> tuple[Entry, Entry]:
    return Entry(f"{above}/vmlinuz", kernel), Entry(f"{above}/initramfs.xz", initramfs)


def demo() -> Image:
    """The CozyStack demo's: checksums beside the files, each in a layer of its own as COPY makes it."""
    kernel, initramfs = pair("output/talos/arm64")
    return image(
        [
            gzipped(directory("etc/"), Entry("etc/os-release", b"ID=alpine")),
            gzipped(kernel),
            gzipped(initramfs),
            gzipped(Entry("output/talos/arm64/vmlinuz.sha256", f"{KERNEL_SHA256} *vmlinuz\n".encode())),
            gzipped(Entry("output/talos/arm64/initramfs.xz.sha256", f"{INITRAMFS_SHA256}\n".encode())),
        ],
        labels={"org.opencontainers.image.version": "v1.10.5"},
    )


def workflow() -> Image:
    sums = f"{KERNEL_SHA256}  ./vmlinuz\n{INITRAMFS_SHA256}  ./initramfs.xz\n".encode()
    above = "./assets/talos/arm64/boot"
    return image([zstandard_compressed(*pair(above), Entry(f"{above}/checksums.sha256", sums))])


def cozystack() -> Image:
    """CozyStack's matchbox: over a base with other files, links and a file that is replaced."""
    assets = "var/lib/matchbox/assets"
    return image(
        [
            gzipped(Entry("bin/matchbox", b"ELF"), symlink("lib", "usr/lib"), Entry(f"{assets}/vmlinuz", b"older")),
            gzipped(Entry("var/lib/matchbox/groups/default.json", b"{}"), *pair(assets)),
        ],
        docker=True,
    )


def imager() -> Image:
    """Talos's imager: both architectures in either image, under an index with an attestation."""
    both = (*pair("usr/install/amd64", b"amd64", b"amd64"), *pair("usr/install/arm64"))
    other = image([gzipped(Entry("usr/install/amd64/vmlinuz", b"another"))], platform="linux/amd64")
    return index([(other, "linux/amd64"), (image([gzipped(*both)]), "linux/arm64/v8")], attestation=True)


def factory() -> Image:
    """An installer by Talos's Image Factory: an index of both, each with the installer below and the kernel above."""
    labels = {
        "alpha.talos.dev/version": "v1.13.0",
        "org.opencontainers.image.source": "https://github.com/siderolabs/talos",
    }
    installers = [
        (
            image(
                [
                    gzipped(Entry("usr/bin/installer", b"ELF"), symlink("bin", "usr/bin"), media_type=DOCKER),
                    gzipped(
                        Entry(f"usr/install/{architecture}/vmlinuz.efi", efi),
                        Entry(f"usr/install/{architecture}/systemd-boot.efi", b"MZ"),
                        media_type=DOCKER,
                    ),
                ],
                platform=f"linux/{architecture}",
                labels=labels,
                docker=True,
            ),
            f"linux/{architecture}",
        )
        for architecture, efi in (("amd64", OTHER_EFI), ("arm64", EFI))
    ]
    return index(installers)


SHAPES = {
    "demo": demo(),
    "demo-below": image([plain(*pair("talos/arm64"))]),
    "workflow": workflow(),
    "cozystack": cozystack(),
    "imager": imager(),
    "installer": factory(),
    "oras": image([raw_file("vmlinuz", KERNEL), raw_file("initramfs.xz", INITRAMFS)]),
    "flux": image([gzipped(*pair("."), media_type=FLUX)]),
}
NAMES = [*SHAPES, "sparse"]

HAND_MADE = {"boot/kernel": ["nowhere/vmlinuz", "/usr/install/arm64/vmlinuz"]}


class Synced(NamedTuple):
    """A commands into which an image of every shape was synced, what the sync said, and who serves it."""

    commands: SourceCommands
    said: str
    serve: Serve


@pytest.fixture(scope="module", params=["directory", "store"])
def synced(
    request: pytest.FixtureRequest, oci_registry: OciRegistry, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Synced]:
    stores = None
    if request.param == "store":
        stores = new_stores(request.getfixturevalue("dynamodb_local"), request.getfixturevalue("versitygw"))
    commands = SourceCommands(tmp_path_factory.mktemp("sync"), stores)
    archive = gnu_tar(tmp_path_factory.mktemp("sparse"), pair("talos/arm64"), "--format=posix")
    assert len(archive) < len(KERNEL) + len(INITRAMFS)
    shapes = {**SHAPES, "sparse": image([Layer(gzip.compress(archive), f"{OCI}+gzip")])}
    for name, one in shapes.items():
        commands.write(name, oci_registry.push(one, f"public/shapes/{name}", "stable"), assets=f"{name}/arm64")
    commands.add("hand-made", oci_registry.push(SHAPES["imager"], "public/shapes/hand-made", "stable"), files=HAND_MADE)
    said = commands.run("sync")
    with commands.serve() as serve:
        yield Synced(commands, said, serve)
        serve.end()


@pytest.mark.parametrize("name", NAMES)
def test_kernel_and_initramfs_are_served_with_checksums(synced: Synced, name: str, tmp_path: Path) -> None:
    served = {file: fetch(synced.serve, f"/assets/{name}/arm64/{file}") for file in ("vmlinuz", "initramfs.xz")}
    assert {"vmlinuz": KERNEL, "initramfs.xz": INITRAMFS} == served
    for file, body in served.items():
        (tmp_path / file).write_bytes(body)
        (tmp_path / f"{file}.sha256").write_bytes(fetch(synced.serve, f"/assets/{name}/arm64/{file}.sha256"))
    checked = subprocess.run(
        [on_path("sha256sum", "coreutils"), "-c", "vmlinuz.sha256", "initramfs.xz.sha256"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (0, "vmlinuz: OK\ninitramfs.xz: OK\n") == (checked.returncode, checked.stdout)


@pytest.mark.parametrize("name", NAMES)
def test_record_is_served(synced: Synced, name: str) -> None:
    record = json.loads(fetch(synced.serve, f"/assets/{name}/arm64/release.json"))
    (digest,) = synced.commands.digests(name)
    assert (name, digest, True) == (record["source"], record["digest"], record["image"].endswith(f"/{name}:stable"))
    assert {"vmlinuz": (len(KERNEL), KERNEL_SHA256), "initramfs.xz": (len(INITRAMFS), INITRAMFS_SHA256)}.items() <= {
        file: (one["size"], one["sha256"]) for file, one in record["files"].items()
    }.items()
    assert f"{name}: published {digest}" in synced.said.splitlines()


def test_checksum_of_the_image_is_served_if_it_applies(synced: Synced) -> None:
    assert f"{KERNEL_SHA256} *vmlinuz\n".encode() == fetch(synced.serve, "/assets/demo/arm64/vmlinuz.sha256")
    made = f"{INITRAMFS_SHA256}  initramfs.xz\n".encode()
    assert made == fetch(synced.serve, "/assets/demo/arm64/initramfs.xz.sha256")


def test_unified_kernel_image_is_served_with_its_command_line(synced: Synced) -> None:
    assert EFI == fetch(synced.serve, "/assets/installer/arm64/vmlinuz.efi")
    assert b"console=ttyAMA0" == fetch(synced.serve, "/assets/installer/arm64/cmdline")
    assert "TALOS_VERSION=v1.13.0" in synced.commands.run("releases", "installer", "--output", "env").splitlines()


def test_files_are_served_by_the_names_of_the_source(synced: Synced) -> None:
    assert KERNEL == fetch(synced.serve, "/assets/hand-made/boot/kernel")
    assert f"{KERNEL_SHA256}  kernel\n".encode() == fetch(synced.serve, "/assets/hand-made/boot/kernel.sha256")


def test_unchanged_images_are_not_downloaded(synced: Synced, oci_registry: OciRegistry) -> None:
    before = oci_registry.sent
    said = synced.commands.run("sync", *NAMES)
    assert before == oci_registry.sent
    # Several at once, in the order of their ends.
    assert {f"{name}: up to date: {synced.commands.digests(name)[0]}" for name in NAMES} == set(said.splitlines())
    assert {name: set() for name in NAMES} == {name: synced.commands.leftovers(name) for name in NAMES}
