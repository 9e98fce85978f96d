"""GRUB 2 configurations: an entry for EFI, and one for BIOS that it falls back to."""

from collections.abc import Callable

from matchbox.profiles import NetBoot
from matchbox.url_path import octets

_ENTRY = """menuentry "CoreOS ({firmware})" {{
echo "Loading kernel"
{linux} "{kernel}"{args}
echo "Loading initrd"
{initrd} {initrds}
}}
"""


def configuration(boot: NetBoot, address: Callable[[str], str]) -> bytes:
    """The configuration that boots a profile; `address` makes of an address one that GRUB can load."""
    fields = {
        "kernel": address(boot.kernel),
        "args": "".join(f" {arg}" for arg in boot.args),
        "initrds": "".join(f' "{address(initrd)}"' for initrd in boot.initrd),
    }
    efi = _ENTRY.format(firmware="EFI", linux="linuxefi", initrd="initrdefi", **fields)
    bios = _ENTRY.format(firmware="BIOS", linux="linux", initrd="initrd", **fields)
    return octets(f"default=0\nfallback=1\ntimeout=1\n{efi}{bios}")
