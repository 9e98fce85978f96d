"""Kinds of firmware, and the iPXE that each one loads first."""

from typing import NamedTuple


class Firmware(NamedTuple):
    """A kind of firmware, by the architectures that it sends to DHCP (options 93 and 61), and the file it loads."""

    name: str
    architectures: tuple[int, ...]
    file: str
    by_http: bool = False


FIRMWARE = (
    Firmware("bios", (0,), "undionly.kpxe"),
    Firmware("efi64", (7, 9), "ipxe.efi"),
    Firmware("arm64", (11,), "ipxe-arm64.efi"),
    Firmware("http64", (16,), "ipxe.efi", by_http=True),
    Firmware("httparm64", (19,), "ipxe-arm64.efi", by_http=True),
)
SIGNED = {"bios": "undionly.kpxe", "efi64": "shimx64.efi", "arm64": "shimaa64.efi"}
"""What firmware loads with Secure Boot: shim is signed. By HTTP it does not find GRUB here."""

USER_CLASS = "iPXE"
"""What iPXE sends to DHCP as its user class (options 77 and 15)."""

HTTP_CLASS = "HTTPClient"
"""The vendor class without which UEFI HTTP boot ignores an offer (options 60 and 16)."""
