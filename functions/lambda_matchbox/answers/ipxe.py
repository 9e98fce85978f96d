"""iPXE scripts: /boot.ipxe, which sends the machine's labels to /ipxe, and /ipxe, which boots its profile."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from lambda_matchbox.catalog.profiles import NetBoot
from lambda_matchbox.golang.http.content_type import TEXT
from lambda_matchbox.golang.http.paths import to_bytes
from lambda_matchbox.http import Response

NO_VARIABLES: Mapping[str, str] = MappingProxyType({})

_KEPT = 256
"""Profiles whose lines are kept."""

# The address is relative, so that the script works on whatever host and port it came from.
BOOT_SCRIPT = (
    b"#!ipxe\n"
    b"chain ipxe?uuid=${uuid}&mac=${mac:hexhyp}&domain=${domain}&hostname=${hostname}&serial=${serial}"
    b"&arch=${buildarch:uristring}\n"
)


def respond(boot: NetBoot, variables: Mapping[str, str] = NO_VARIABLES) -> Response:
    """The iPXE script that sets the variables and boots a profile."""
    sets = "".join([f"set {name} {value}\n" for name, value in variables.items()]) if variables else ""
    return Response.of(to_bytes(f"#!ipxe\n{sets}") + _booting(boot), TEXT)


@lru_cache(_KEPT)
def _booting(boot: NetBoot) -> bytes:
    """The lines that boot a profile."""
    lines = [" ".join(["kernel", boot.kernel, *boot.args]), *[f"initrd {initrd}" for initrd in boot.initrd], "boot", ""]
    return to_bytes("\n".join(lines))
