"""Releases of Flatcar and Fedora CoreOS, what is wanted of them, and what was placed."""

from pathlib import Path

import pytest

from lambda_matchbox.backoff import Backoff
from lambda_matchbox.oci.distribution.retries import RetryPolicy
from matchboxctl.cli.errors import FailedError
from matchboxctl.fetch.command import Wanted, fetch
from tests.support.release_server import ReleaseServer, key

RETRIES = RetryPolicy(attempts=3, backoff=Backoff(first=0.001, longest=0.001))
OLD = {".vmlinuz": b"old kernel" * 1000, "_image.cpio.gz": b"old initramfs" * 1000}
NEW = {".vmlinuz": b"new kernel" * 2000, "_image.cpio.gz": b"new initramfs" * 2000}
FEDORA = {"kernel": b"kernel" * 1000, "initramfs": b"initramfs" * 1000, "rootfs": b"rootfs" * 10_000}
INITRAMFS = "_image.cpio.gz"
INITRAMFS_PATH = f"/amd64-usr/2.0.0/flatcar_production_pxe{INITRAMFS}"
ROOTFS_PATH = "/prod/streams/stable/builds/42.1/x86_64/fedora-coreos-42.1-live-rootfs"


def flatcar(server: ReleaseServer, version: str = "", arch: str = "x86_64") -> Wanted:
    return Wanted("flatcar", "stable", version, arch, server.url)


def fedora(server: ReleaseServer, version: str = "", channel: str = "stable") -> Wanted:
    return Wanted("fedora-coreos", channel, version, "x86_64", server.url)


def placed(data: Path, project: str = "flatcar") -> dict[str, bytes]:
    """All files below the project's directory, parts included."""
    root = data / "assets" / project / "x86_64"
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def named(bodies: dict[str, bytes]) -> dict[str, bytes]:
    names = {".vmlinuz": "vmlinuz", INITRAMFS: "initramfs.cpio.gz"}
    names |= {"kernel": "vmlinuz", "initramfs": "initramfs.img", "rootfs": "rootfs.img"}
    return {names[name]: body for name, body in bodies.items()}


def fingerprint(name: str) -> str:
    return str(key(name).extract_certificate().fingerprint).upper()


def refusal(wanted: Wanted, data: Path, file: Path | None) -> str:
    with pytest.raises(FailedError) as caught:
        fetch(wanted, data, file, RETRIES)
    return str(caught.value)
