"""iPXE's programs: their names here, and where packages of distributions and builds have them."""

import platform
from collections.abc import Iterable
from typing import NamedTuple

DIRECTORIES = ("/usr/lib/ipxe", "/usr/share/ipxe")
"""Where packages put them: Debian's and Ubuntu's, and Fedora's."""

_MACHINE_AT = 0x3C
"""Where a UEFI program has the offset of its header, which says its processor."""


class Binary(NamedTuple):
    """A program by the name that DHCP gives to firmware, and its names in directories, the best first."""

    name: str
    arch: str
    sources: tuple[str, ...]
    machine: int | None = None

    def fits(self, content: bytes) -> bool:
        """Whether the content is a UEFI program for this processor; anything may be BIOS's."""
        if self.machine is None:
            return bool(content)
        header = int.from_bytes(content[_MACHINE_AT : _MACHINE_AT + 4], "little")
        return content[header : header + 6] == b"PE\0\0" + self.machine.to_bytes(2, "little")


BINARIES = (
    Binary("undionly.kpxe", "x86_64", ("undionly.kpxe", "bin/undionly.kpxe")),
    Binary(
        "ipxe.efi",
        "x86_64",
        (
            *("ipxe-x86_64.efi", "ipxe-amd64.efi", "ipxe.efi", "bin-x86_64-efi/ipxe.efi"),
            # The smaller ones use the firmware's network driver.
            *("ipxe-snponly-x86_64.efi", "snponly.efi"),
        ),
        0x8664,
    ),
    Binary(
        "ipxe-arm64.efi",
        "arm64",
        ("ipxe-arm64.efi", "arm64-efi/ipxe.efi", "bin-arm64-efi/ipxe.efi", "arm64-efi/snponly.efi"),
        0xAA64,
    ),
)

_DEBIAN = (
    "install Debian's or Ubuntu's package ipxe (apt-get install ipxe), which has ARM64 from Debian 13 on; that package "
    "serves on older ones too: unpack it with dpkg -x, and give --from its usr/lib/ipxe"
)
_FEDORA = "install Fedora's packages (dnf install ipxe-bootimgs-x86 ipxe-bootimgs-aarch64)"


def advice() -> str:
    """What to install on this machine."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        release = {}
    like: Iterable[str] = {release.get("ID", ""), *release.get("ID_LIKE", "").split()}
    if "debian" in like:
        return _DEBIAN
    return _FEDORA if {"fedora", "rhel"} & {*like} else f"{_DEBIAN}; or {_FEDORA}"
