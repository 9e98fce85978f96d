"""The cost of a sync of a 200 MB image, compared with `skopeo copy` of it from the same registry.

The image has an incompressible kernel and initramfs in gzip layers over an unrelated one. Each round syncs it to a new
data directory and a new table and bucket (DynamoDB Local and versitygw), and copies it into a new directory, so that
other load affects all alike. Run by `make bench`.
"""

import os
import statistics
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from tests.real.source_commands import SourceCommands
from tests.rigs.dynamodb_local import dynamodb_local
from tests.rigs.oci_programs import skopeo
from tests.rigs.oci_registry import oci_registry
from tests.rigs.peak_memory import Measured, measured
from tests.rigs.stores import new_stores
from tests.rigs.versitygw import versitygw
from tests.support.images.layers import Entry, gzipped
from tests.support.images.manifests import Image, image

ROUNDS = 9
KERNEL, INITRAMFS, UNRELATED = 20_000_000, 150_000_000, 30_000_000
TIME_GOAL, MEMORY_GOAL = 1.3, 256 << 20


def main() -> None:
    """Print the table."""
    program = skopeo()
    with ExitStack() as stack:
        registry = stack.enter_context(oci_registry())
        reference = registry.push(_image(), "public/talos", "stable")
        tables, buckets = stack.enter_context(dynamodb_local()), stack.enter_context(versitygw())
        ways: dict[str, Callable[[Path], Measured]] = {
            "skopeo copy to dir:": lambda root: _copied(program, reference, root),
            "sync, directory mode": lambda root: _synced(SourceCommands(root), reference),
            "sync, versitygw": lambda root: _synced(SourceCommands(root, new_stores(tables, buckets)), reference),
        }
        taken: dict[str, list[Measured]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, way in ways.items():
                with tempfile.TemporaryDirectory() as root:
                    taken[name].append(way(Path(root)))
    _print(taken)


def _image() -> Image:
    files = (("vmlinuz", KERNEL), ("initramfs.xz", INITRAMFS))
    layers = [gzipped(Entry("usr/lib/unrelated", os.urandom(UNRELATED)))]
    layers += [gzipped(Entry(f"talos/arm64/{name}", os.urandom(size))) for name, size in files]
    return image(layers)


def _synced(commands: SourceCommands, reference: str) -> Measured:
    commands.add("talos", reference)
    return commands.measure("sync")


def _copied(program: str, reference: str, root: Path) -> Measured:
    command = [program, "--insecure-policy", "copy", "--quiet", "--src-tls-verify=false"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(root), "TMPDIR": str(root)}
    return measured([*command, f"docker://{reference}", f"dir:{root}/copy"], environment)


def _print(taken: dict[str, list[Measured]]) -> None:
    print(f"an image of {(KERNEL + INITRAMFS + UNRELATED) / 1e6:.0f} MB; median of {ROUNDS}")
    print(f"{'':22} {'s':>6} {'ratio':>6} {'peak MB':>8}")
    base = statistics.median(one.seconds for one in next(iter(taken.values())))
    for name, runs in taken.items():
        seconds, peak = statistics.median(one.seconds for one in runs), max(one.peak for one in runs)
        print(f"{name:22} {seconds:>6.2f} {seconds / base:>6.2f} {peak / (1 << 20):>8.0f}")
    print(f"goals, in directory mode: ratio {TIME_GOAL}, peak {MEMORY_GOAL >> 20} MB")


if __name__ == "__main__":
    main()
