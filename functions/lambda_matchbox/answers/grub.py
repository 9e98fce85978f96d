"""GRUB 2 configurations: an entry for EFI, and one for BIOS that it falls back to."""

from collections.abc import Callable

from lambda_matchbox.catalog.profiles import NetBoot
from lambda_matchbox.errors import UndeliverableError
from lambda_matchbox.golang.http.paths import to_bytes

LONGEST_ADDRESS = 1200
"""Bytes of an address: GRUB's whole request has to fit 1,446, its other headers with a long host take some 200."""

_ENTRY = """menuentry "CoreOS ({firmware})" {{
echo "Loading kernel"
{linux} "{kernel}"{args}
echo "Loading initrd"
{initrd} {initrds}
}}
"""


def configuration(boot: NetBoot, plain: Callable[[str], str | None]) -> bytes:
    """The configuration that boots a profile.

    GRUB follows no redirect, so `plain` gives the token-free address (`http://HOST/PATH`) of what lies on this server,
    None where it is to be asked here. Raises UndeliverableError for an address that GRUB could not ask for.
    """

    def address(text: str) -> str:
        other = plain(text)
        if other is not None:
            host, _, path = other.removeprefix("http://").partition("/")
            text = f"(http,{host})/{path}"
        if len(to_bytes(text)) > LONGEST_ADDRESS:
            raise UndeliverableError(
                f"the address {text[:80]!r}… has {len(to_bytes(text))} bytes, and GRUB can ask for {LONGEST_ADDRESS}"
            )
        return text

    fields = {
        "kernel": address(boot.kernel),
        "args": "".join(f" {arg}" for arg in boot.args),
        "initrds": "".join(f' "{address(initrd)}"' for initrd in boot.initrd),
    }
    efi = _ENTRY.format(firmware="EFI", linux="linuxefi", initrd="initrdefi", **fields)
    bios = _ENTRY.format(firmware="BIOS", linux="linux", initrd="initrd", **fields)
    return to_bytes(f"default=0\nfallback=1\ntimeout=1\n{efi}{bios}")
