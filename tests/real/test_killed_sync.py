"""`matchboxctl sync` killed at random moments: one release stays whole, and the next sync completes."""

import hashlib
import json
import random
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from lambda_matchbox.aws.keys import sync_key
from tests.real.source_commands import SourceCommands, fetch
from tests.rigs.oci_registry import OciRegistry
from tests.rigs.service import Service
from tests.rigs.stores import new_stores
from tests.support.images.layers import Entry, gzipped, plain
from tests.support.images.manifests import Image, image
from tests.support.serving import Serve

pytestmark = pytest.mark.real

ROUNDS = [3, pytest.param(20, marks=pytest.mark.nightly)]


def numbered(number: int) -> Image:
    """An image with files of its own."""
    kernel, initramfs = (hashlib.shake_256(b"%s %d" % (name, number)) for name in (b"kernel", b"initramfs"))
    return image(
        [
            gzipped(Entry("talos/arm64/initramfs.xz", initramfs.digest(6_000_000))),
            plain(Entry("talos/arm64/vmlinuz", kernel.digest(2_000_000))),
        ]
    )


def served(serve: Serve) -> str:
    """The digest of the release that is served, every file of which must be as its record says."""
    record = json.loads(fetch(serve, "/assets/talos/release.json"))
    query = f"?release={record['digest']}"
    assert {"vmlinuz", "initramfs.xz"} == record["files"].keys()
    for name, file in record["files"].items():
        body = fetch(serve, f"/assets/talos/{name}{query}")
        assert (file["size"], file["sha256"]) == (len(body), hashlib.sha256(body).hexdigest())
        assert f"{file['sha256']}  {name}\n".encode() == fetch(serve, f"/assets/talos/{name}.sha256{query}")
    digest: str = record["digest"]
    return digest


def survives(commands: SourceCommands, rounds: int, registry: OciRegistry, lease_ends: Callable[[], object]) -> None:
    repository = f"public/{uuid4()}"
    old = numbered(0)
    commands.add("talos", registry.push(old, repository, "stable"))
    commands.run("sync")
    old = numbered(1)
    registry.push(old, repository, "stable")
    start = time.monotonic()
    commands.run("sync")
    undisturbed = time.monotonic() - start
    with commands.serve() as serve:
        for number in range(2, 2 + rounds):
            new = numbered(number)
            registry.push(new, repository, "stable")
            moment = random.uniform(0.1, 1.1) * undisturbed
            with commands.begin("sync") as process:
                time.sleep(moment)
                process.kill()
            at = f"killed after {moment:.3f} of {undisturbed:.3f} s"
            assert served(serve) in (old.digest, new.digest), at
            lease_ends()
            commands.run("sync")
            assert new.digest == served(serve), at
            assert set() == commands.leftovers("talos"), at
            old = new
        serve.end()


@pytest.mark.parametrize("rounds", ROUNDS)
def test_killed_sync_in_a_directory(tmp_path: Path, oci_registry: OciRegistry, rounds: int) -> None:
    survives(SourceCommands(tmp_path), rounds, oci_registry, lambda: None)


@pytest.mark.parametrize("rounds", ROUNDS)
def test_killed_sync_in_table_and_bucket(
    tmp_path: Path, oci_registry: OciRegistry, dynamodb_local: Service, versitygw: Service, rounds: int
) -> None:
    """The test removes the lease instead of waiting five minutes, by when all that was sent would have arrived."""
    stores = new_stores(dynamodb_local, versitygw)
    bucket = urlsplit(versitygw.endpoint).port
    assert bucket is not None
    with closing(stores.tables.client("dynamodb")) as client:

        def lease_ends() -> None:
            while has_requests_of_the_dead(bucket):
                time.sleep(0.01)
            client.delete_item(TableName=stores.name, Key={"pk": {"S": sync_key("talos")}})

        survives(SourceCommands(tmp_path, stores), rounds, oci_registry, lease_ends)


def has_requests_of_the_dead(port: int) -> bool:
    """Whether the server of a port still works on a request whose client has ended: its socket is in CLOSE_WAIT."""
    sockets = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(local.endswith(f":{port:04X}") and state == "08" for _, local, _, state, *_ in sockets)
