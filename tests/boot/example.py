"""`examples/talos` with the kernel and the initramfs that its README names."""

import shutil
from pathlib import Path

from tests.boot import guest
from tests.boot.machine import Machine

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "talos"
CONFIGURATION = "ignition/cozystack-config.yaml"
HOSTNAME = '{{printf "talos-%s-%s" .cozystack_cluster .request.query.uuid | quote}}'
SOURCE = "sources/talos-arm64.json"


def write_example(directory: Path, *, own_images: bool = True) -> None:
    """Copies the example to `directory`, which must not exist, with kernel and initramfs unless they are synced.

    Raises RigUnavailableError.
    """
    shutil.copytree(EXAMPLE, directory)
    if not own_images:
        return
    images = directory / "assets" / "talos" / "arm64"
    (images / "vmlinuz").write_bytes(guest.kernel("arm64").read_bytes())
    # Linux looks at the content, not at the name, for how it is compressed.
    (images / "initramfs.xz").write_bytes(guest.initramfs("arm64", talos=True))


def configuration_of(machine: Machine) -> bytes:
    """The Talos machine configuration that the example has for a machine, to the byte."""
    text = (EXAMPLE / CONFIGURATION).read_text()
    return text.replace(HOSTNAME, f'"talos-demo-{machine.uuid}"').encode()
