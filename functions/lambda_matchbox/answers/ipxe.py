"""iPXE scripts: the one that asks who the machine is, and the one that boots it."""

from lambda_matchbox.catalog.profiles import NetBoot
from lambda_matchbox.golang.http.paths import to_bytes

# The address is relative, so that the script works on whatever host and port it came from.
BOOT_SCRIPT = (
    b"#!ipxe\n"
    b"chain ipxe?uuid=${uuid}&mac=${mac:hexhyp}&domain=${domain}&hostname=${hostname}&serial=${serial}"
    b"&arch=${buildarch:uristring}\n"
)


def script(boot: NetBoot) -> bytes:
    """The iPXE script that boots a profile."""
    lines = ["#!ipxe", f"kernel {boot.kernel}{''.join(f' {arg}' for arg in boot.args)}"]
    lines += [f"initrd {initrd}" for initrd in boot.initrd]
    return to_bytes("\n".join([*lines, "boot", ""]))
