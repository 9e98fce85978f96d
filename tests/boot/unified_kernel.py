"""A unified kernel image: the Linux that machines boot as one program, which firmware starts by itself."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.boot import firmware, guest

NAMES = {"amd64": "x64", "arm64": "aa64"}


def unified_kernel(architecture: str, initramfs: bytes, arguments: Sequence[str], scratch: Path) -> bytes:
    """The image with these kernel arguments, of which the firmware has none. Raises RigUnavailableError."""
    packed, image = scratch / "initramfs", scratch / "uki"
    packed.write_bytes(initramfs)
    subprocess.run(
        [
            *(sys.executable, firmware.ukify(), "build", f"--efi-arch={NAMES[architecture]}"),
            *(f"--stub={firmware.kernel_stub(architecture)}", f"--linux={guest.kernel(architecture)}"),
            # It would run the kernel's file through other programs to learn its version.
            *("--uname=linux", f"--initrd={packed}", f"--cmdline={' '.join(arguments)}", f"--output={image}"),
        ],
        env={**os.environ, "PYTHONPATH": str(firmware.pefile())},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )
    return image.read_bytes()
