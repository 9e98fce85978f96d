"""`examples/talos` with secrets, and with the kernel and the initramfs that its README names."""

import subprocess
from pathlib import Path

import yaml

from tests.boot import guest
from tests.boot.machine import Machine
from tests.rigs.talos_machinery import talosctl
from tests.support.example_data import example_with_secrets
from tests.support.paths import EXAMPLES

EXAMPLE = EXAMPLES / "talos"
CLUSTER = "secrets/talos/cozystack-demo/cluster"
SOURCE = "sources/talos-arm64.json"


def write_example(directory: Path, *, own_images: bool = True) -> None:
    """Copies the example to `directory`, which must not exist, with kernel and initramfs unless they are synced.

    Raises RigUnavailableError.
    """
    example_with_secrets("talos", directory)
    if own_images:
        write_images(directory)


def write_images(directory: Path) -> None:
    """Puts kernel and initramfs where the examples for Talos have them. Raises RigUnavailableError."""
    images = directory / "assets" / "talos" / "arm64"
    images.mkdir(parents=True)
    (images / "vmlinuz").write_bytes(guest.kernel("arm64").read_bytes())
    # Linux looks at the content, not at the name, for how it is compressed.
    (images / "initramfs.xz").write_bytes(guest.initramfs("arm64", talos=True))


def assert_configured(configuration: bytes, machine: Machine, data: Path) -> None:
    """The configuration is the machine's, with its cluster's secrets, and Talos takes it.

    Raises RigUnavailableError.
    """
    found = yaml.safe_load(configuration)
    secrets = yaml.safe_load((data / CLUSTER).read_text())
    assert f"talos-demo-{machine.uuid}" == found["machine"]["network"]["hostname"]
    assert secrets["trustdinfo"]["token"] == found["machine"]["token"]
    assert secrets["cluster"] == {key: found["cluster"][key] for key in ("id", "secret")}
    assert_accepted(configuration)


def assert_accepted(configuration: bytes) -> None:
    """Talos's own loader takes it for a machine that installs. Raises RigUnavailableError."""
    command = [talosctl(), "validate", "--mode", "metal", "--config", "/dev/stdin"]
    ended = subprocess.run(command, input=configuration, capture_output=True, check=False)
    assert (0, b"") == (ended.returncode, ended.stderr)
