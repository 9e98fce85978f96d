"""iPXE scripts: /boot.ipxe, which sends the machine's labels to /ipxe, and /ipxe, which boots its profile."""

from collections.abc import Mapping
from types import MappingProxyType

from lambda_matchbox.catalog.profiles import NetBoot
from lambda_matchbox.golang.http.content_type import TEXT
from lambda_matchbox.golang.http.paths import to_bytes
from lambda_matchbox.http import Response

NO_VARIABLES: Mapping[str, str] = MappingProxyType({})

# The address is relative, so that the script works on whatever host and port it came from.
BOOT_SCRIPT = (
    b"#!ipxe\n"
    b"chain ipxe?uuid=${uuid}&mac=${mac:hexhyp}&domain=${domain}&hostname=${hostname}&serial=${serial}"
    b"&arch=${buildarch:uristring}\n"
)


def respond(boot: NetBoot, variables: Mapping[str, str] = NO_VARIABLES) -> Response:
    """The iPXE script that sets the variables and boots a profile."""
    lines = ["#!ipxe"]
    if variables:
        lines += [f"set {name} {value}" for name, value in variables.items()]
    lines += [f"kernel {boot.kernel}{''.join(f' {arg}' for arg in boot.args)}"]
    lines += [f"initrd {initrd}" for initrd in boot.initrd]
    return Response.of(to_bytes("\n".join([*lines, "boot", ""])), TEXT)
