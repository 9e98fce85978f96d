"""The cost of a sync of a 200 MB image, compared with `skopeo copy` of it from the same registry.

The image has an incompressible kernel and initramfs in gzip layers over an unrelated one. Each round syncs it to a new
data directory and a new table and bucket (DynamoDB Local and versitygw), and copies it into a new directory, so that
other load affects all alike. What a bucket gets is also compared with the copy and `aws s3 cp` of the synced files, one
after the other. Run by `make bench`.
"""

import os
import statistics
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from tests.real.source_commands import SourceCommands
from tests.rigs.aws_cli import aws_cli
from tests.rigs.dynamodb_local import dynamodb_local
from tests.rigs.oci_programs import skopeo
from tests.rigs.oci_registry import oci_registry
from tests.rigs.peak_memory import Measured, measured
from tests.rigs.service import Service
from tests.rigs.stores import new_stores
from tests.rigs.versitygw import versitygw
from tests.support.images.layers import Entry, gzipped
from tests.support.images.manifests import Image, image

ROUNDS = 15
KERNEL, INITRAMFS, UNRELATED = 20_000_000, 150_000_000, 30_000_000
MEMORY_GOAL = 256 << 20
COPY, TO_DIRECTORY, COPY_AND_UPLOAD, TO_BUCKET = (
    "skopeo copy to dir:",
    "sync, directory mode",
    "skopeo copy, aws s3 cp",
    "sync, versitygw",
)
RATIOS = {COPY: COPY, TO_DIRECTORY: COPY, COPY_AND_UPLOAD: COPY_AND_UPLOAD, TO_BUCKET: COPY_AND_UPLOAD}
GOALS = {TO_DIRECTORY: 1.0, TO_BUCKET: 0.7}


class Image200(NamedTuple):
    """The image in a registry, and the files that a sync takes from it."""

    reference: str
    files: Path


def main() -> None:
    """Print the table."""
    with ExitStack() as stack:
        registry = stack.enter_context(oci_registry())
        tables, buckets = stack.enter_context(dynamodb_local()), stack.enter_context(versitygw())
        files = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        contents = {"vmlinuz": os.urandom(KERNEL), "initramfs.xz": os.urandom(INITRAMFS)}
        for name, body in contents.items():
            (files / name).write_bytes(body)
        source = Image200(registry.push(_image(contents), "public/talos", "stable"), files)
        ways: dict[str, Callable[[Path], list[Measured]]] = {
            COPY: lambda root: [_copied(source, root)],
            TO_DIRECTORY: lambda root: [_synced(SourceCommands(root), source)],
            COPY_AND_UPLOAD: lambda root: [_copied(source, root), _uploaded(source, root, tables, buckets)],
            TO_BUCKET: lambda root: [_synced(SourceCommands(root, new_stores(tables, buckets)), source)],
        }
        taken: dict[str, list[list[Measured]]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, way in ways.items():
                with tempfile.TemporaryDirectory() as root:
                    taken[name].append(way(Path(root)))
    _print(taken)


def _image(contents: dict[str, bytes]) -> Image:
    layers = [gzipped(Entry("usr/lib/unrelated", os.urandom(UNRELATED)))]
    layers += [gzipped(Entry(f"talos/arm64/{name}", body)) for name, body in contents.items()]
    return image(layers)


def _synced(commands: SourceCommands, source: Image200) -> Measured:
    commands.add("talos", source.reference)
    return commands.measure("sync")


def _copied(source: Image200, root: Path) -> Measured:
    command = [skopeo(), "--insecure-policy", "copy", "--quiet", "--src-tls-verify=false"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(root), "TMPDIR": str(root)}
    return measured([*command, f"docker://{source.reference}", f"dir:{root}/copy"], environment)


def _uploaded(source: Image200, root: Path, tables: Service, buckets: Service) -> Measured:
    stores = new_stores(tables, buckets)
    stores.create()
    target = f"s3://{stores.name}/files"
    command = [*aws_cli(), "s3", "cp", "--recursive", "--only-show-errors", str(source.files), target]
    return measured(command, stores.environment() | {"HOME": str(root)})


def _print(taken: dict[str, list[list[Measured]]]) -> None:
    print(f"an image of {(KERNEL + INITRAMFS + UNRELATED) / 1e6:.0f} MB; median of {ROUNDS}")
    print(f"{'':24} {'s':>6} {'ratio':>6} {'goal':>5} {'peak MB':>8}")
    medians = {name: statistics.median(sum(one.seconds for one in run) for run in runs) for name, runs in taken.items()}
    for name, runs in taken.items():
        peak = max(one.peak for run in runs for one in run) / (1 << 20)
        goal = f"{GOALS[name]:.1f}" if name in GOALS else ""
        print(f"{name:24} {medians[name]:>6.2f} {medians[name] / medians[RATIOS[name]]:>6.2f} {goal:>5} {peak:>8.0f}")
    print(f"ratios of a bucket are to the copy with the upload; goal of memory: {MEMORY_GOAL >> 20} MB")


if __name__ == "__main__":
    main()
