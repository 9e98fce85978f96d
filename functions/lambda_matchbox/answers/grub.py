"""The response of /grub: a GRUB configuration with an entry for EFI and, as its fallback, one for BIOS."""

from collections.abc import Callable, Mapping

from lambda_matchbox.answers.ipxe import NO_VARIABLES
from lambda_matchbox.catalog.profiles import NetBoot
from lambda_matchbox.errors import UndeliverableError
from lambda_matchbox.golang.http.content_type import TEXT
from lambda_matchbox.golang.http.paths import to_bytes
from lambda_matchbox.http import Response

MAX_ADDRESS_SIZE = 1200
"""Bytes of an address: GRUB's request must fit into 1,446, of which other headers with a long host take about 200."""

_ENTRY = """menuentry "CoreOS ({firmware})" {{
echo "Loading kernel"
{linux} "{kernel}"{args}
echo "Loading initrd"
{initrd} {initrds}
}}
"""


def respond(
    boot: NetBoot, plain_address: Callable[[str], str | None], variables: Mapping[str, str] = NO_VARIABLES
) -> Response:
    """The configuration that sets the variables and boots a profile.

    GRUB follows no redirect, so `plain_address` gives the token-free address (`http://HOST/PATH`) of a file on this
    server, None where this server has to be asked. Raises UndeliverableError for an address too long for GRUB.
    """

    def address(text: str) -> str:
        plain = plain_address(text)
        if plain is not None:
            host, _, path = plain.removeprefix("http://").partition("/")
            text = f"(http,{host})/{path}"
        if len(to_bytes(text)) > MAX_ADDRESS_SIZE:
            raise UndeliverableError(
                f"the address {text[:80]!r}… has {len(to_bytes(text))} bytes, over GRUB's limit of {MAX_ADDRESS_SIZE}"
            )
        return text

    fields = {
        "kernel": address(boot.kernel),
        "args": "".join(f" {arg}" for arg in boot.args),
        "initrds": "".join(f' "{address(initrd)}"' for initrd in boot.initrd),
    }
    efi = _ENTRY.format(firmware="EFI", linux="linuxefi", initrd="initrdefi", **fields)
    bios = _ENTRY.format(firmware="BIOS", linux="linux", initrd="initrd", **fields)
    sets = "".join(f'set {name}="{value}"\n' for name, value in variables.items())
    return Response.of(to_bytes(f"default=0\nfallback=1\ntimeout=1\n{sets}{efi}{bios}"), TEXT)
