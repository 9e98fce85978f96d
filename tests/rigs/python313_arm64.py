"""A Python 3.13 for ARM64 that runs on any machine.

It is Debian trixie's; elsewhere than on ARM64 it runs under QEMU's emulation of a process, some ten times as slow.
"""

import platform
import shutil
from pathlib import Path

from tests.rigs.cache import cached
from tests.rigs.debian_packages import Package, machine_architecture, unpack
from tests.rigs.install import run
from tests.rigs.python313 import python313

_QEMU = "usr/bin/qemu-aarch64-static"

# What the interpreter opens is looked for in its own tree first, so that it finds its own C library.
WRAPPER = """#!/bin/sh
root=$(dirname "$(readlink -f "$0")")
exec "$root/qemu-aarch64-static" -L "$root" "$root/usr/bin/python3.13" "$@"
"""


def python313_arm64() -> Path:
    """An interpreter that is started as any other. Raises RigUnavailableError where it cannot be had."""
    if platform.machine() == "aarch64":
        return python313()
    return cached("debian-trixie-arm64-python3.13-libstdc++", _install) / "python3.13"


def qemu_aarch64() -> Path:
    """The emulator, a program without libraries."""
    return Package("bookworm", machine_architecture(), "qemu-user-static", (_QEMU,)).directory / _QEMU


def _install(directory: Path) -> None:
    unpack("trixie", "python3.13", directory, "arm64")
    # Lambda's runtime has it too: AWS's own runtime client is linked with it.
    unpack("trixie", "libstdc++6", directory, "arm64")
    # Debian's package of base files makes this link.
    (directory / "lib").symlink_to("usr/lib")
    shutil.copy2(qemu_aarch64(), directory)
    # Modules are the same for every processor once they are compiled, which takes minutes under emulation.
    compiled = ["-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "-s", str(directory)]
    run([python313(), *compiled, directory / "usr" / "lib" / "python3.13"])
    python = directory / "python3.13"
    python.write_text(WRAPPER)
    python.chmod(0o755)
