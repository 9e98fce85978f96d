"""Disks from which a machine boots: what they start prints MARKER and powers off."""

import os
import subprocess
from pathlib import Path
from typing import Literal

from tests.boot import firmware
from tests.rigs.install import on_path

Firmware = Literal["bios", "uefi"]

MARKER = "-----BOOTED FROM THE DISK-----"
SECTOR = 512
SIZE = 32 << 20

# Prints the text behind it by the BIOS, then writes to the port by which QEMU's PC is switched off.
_PROGRAM = bytes.fromhex("31c0 8ed8 bb0700 be1e7c fc ac 84c0 7406 b40e cd10 ebf5 ba0406 b80020 ef f4")

_GRUB = f"echo {MARKER}\nhalt\n"


def empty(path: Path) -> Path:
    """A disk with nothing on it."""
    path.touch()
    os.truncate(path, SIZE)
    return path


def written(path: Path, image: bytes) -> Path:
    """A disk with that image."""
    empty(path)
    with path.open("r+b") as file:
        file.write(image)
    return path


def image_for(firmware: Firmware, architecture: str, scratch: Path) -> bytes:
    """The image of a disk that such a machine boots. Raises RigUnavailableError."""
    return _bios_image() if firmware == "bios" else _uefi_image(architecture, scratch)


def _bios_image() -> bytes:
    # SeaBIOS keeps the last characters back, and they are lost when the machine is switched off.
    return (_PROGRAM + MARKER.encode() + b"." * 80 + b"\r\n" + b"\0").ljust(SECTOR - 2, b"\0") + b"\x55\xaa"


def _uefi_image(architecture: str, scratch: Path) -> bytes:
    # GRUB is where UEFI looks for what to start.
    image = scratch / "uefi.img"
    configuration = scratch / "grub.cfg"
    configuration.write_text(_GRUB)
    loader = firmware.grub_of_disks(architecture)
    name = {"amd64": "BOOTX64.EFI", "arm64": "BOOTAA64.EFI"}[architecture]
    _mtools("mformat", "-C", "-i", str(image), "-T", str((16 << 20) // SECTOR), "::")
    for directory in ("::/EFI", "::/EFI/BOOT", "::/EFI/debian"):
        _mtools("mmd", "-i", str(image), directory)
    _mtools("mcopy", "-i", str(image), str(loader), f"::/EFI/BOOT/{name}")
    _mtools("mcopy", "-i", str(image), str(configuration), "::/EFI/debian/grub.cfg")
    return image.read_bytes()


def _mtools(program: str, *arguments: str) -> None:
    subprocess.run([on_path(program, "mtools"), *arguments], check=True, stdin=subprocess.DEVNULL)
