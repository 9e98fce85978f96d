"""Memory of a sync."""

import gzip
import os
import tarfile
import zlib
from functools import lru_cache
from pathlib import Path
from uuid import uuid4

import pytest

from tests.real.source_commands import SourceCommands
from tests.rigs.oci_registry import OciRegistry
from tests.rigs.stores import new_stores
from tests.support.images.layers import OCI, Entry, Layer, tar
from tests.support.images.manifests import Image, image

pytestmark = pytest.mark.real

BOMB = 2 << 30
MOST_MEMORY = 256 << 20


def bomb() -> Layer:
    """A layer of a few megabytes that holds a file of 2 GiB of zeros."""
    member = zlib.compressobj(9, wbits=31)
    header = tarfile.TarInfo("var/cache/zeros")
    header.size = BOMB
    zeros = bytes(1 << 20)
    parts = [member.compress(header.tobuf())]
    parts += [member.compress(zeros) for _ in range(BOMB >> 20)]
    parts += [member.compress(bytes(1024)), member.flush()]
    return Layer(b"".join(parts), f"{OCI}+gzip")


@lru_cache(maxsize=1)
def large(megabytes: int) -> Image:
    """An image with a file of that size, and with the layer that inflates."""
    files = (
        Entry("talos/arm64/vmlinuz", os.urandom(20 << 20)),
        Entry("talos/arm64/initramfs.xz", os.urandom(megabytes << 20)),
    )
    return image([Layer(gzip.compress(tar(files), 0), f"{OCI}+gzip"), bomb()])


@pytest.mark.parametrize("megabytes", [300, pytest.param(2000, marks=pytest.mark.nightly)])
@pytest.mark.parametrize("mode", ["directory", "store"])
def test_large_image_needs_little_memory(
    mode: str, megabytes: int, request: pytest.FixtureRequest, tmp_path: Path, oci_registry: OciRegistry
) -> None:
    """A layer that inflates to 2 GiB, in 256 MB."""
    stores = None
    if mode == "store":
        stores = new_stores(request.getfixturevalue("dynamodb_local"), request.getfixturevalue("versitygw"))
    commands = SourceCommands(tmp_path, stores)
    pushed = large(megabytes)
    commands.add("talos", oci_registry.push(pushed, f"public/{uuid4()}", "stable"))
    assert MOST_MEMORY > commands.measure("sync").peak
    assert [pushed.digest] == commands.digests("talos")
