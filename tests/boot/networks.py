"""The network a client is plugged into: what DHCP and TFTP tell it, so that it ends up at the HTTP server."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.boot import firmware
from tests.boot.dhcp_network import HOST, dhcp_network
from tests.boot.machine import Machine

HTTP_BOOT_PATH = "assets/ipxe/snponly.efi"

# GRUB takes `${...}` in kernel arguments for its own variables: with these set and exported, the `${uuid}` of a profile
# written for iPXE means the same here. It takes an unquoted `&` for an operator and refuses the whole configuration, so
# an address in a profile for GRUB has one label.
GRUB_CONFIGURATION = """\
smbios --type 1 --get-uuid 8 --set uuid
export uuid
set root=({server})
configfile "/grub?uuid=${{uuid}}&mac=${{net_default_mac}}"
"""


@dataclass(frozen=True)
class Network:
    """`backend` stands after QEMU's `-netdev`; `descriptors` are the open files that it names."""

    backend: str
    descriptors: tuple[int, ...] = ()


@contextmanager
def naming_boot_script(machine: Machine, port: int, scratch: Path) -> Iterator[Network]:
    """DHCP names `/boot.ipxe`, to a client that is iPXE already."""
    yield built_in(machine, f"http://{HOST}:{port}/boot.ipxe")


@contextmanager
def loading_grub_2_12(machine: Machine, port: int, scratch: Path) -> Iterator[Network]:
    """UEFI loads GRUB 2.12 by TFTP, which knows ports in addresses: `(http,HOST:PORT)`.

    It has no `linuxefi` command, so the first entry of `/grub` fails, and after ten seconds it boots the second.
    """
    files = scratch / "tftp"
    (files / "grub").mkdir(parents=True)
    (files / "grub.efi").write_bytes(firmware.grub_2_12().read_bytes())
    (files / "grub" / "grub.cfg").write_text(GRUB_CONFIGURATION.format(server=f"http,{HOST}:{port}"))
    yield built_in(machine, f"grub.efi,tftp={files}")


@contextmanager
def loading_grub_2_06(machine: Machine, port: int, scratch: Path) -> Iterator[Network]:
    """UEFI loads GRUB 2.06 by TFTP, which knows port 80 only; so port 80 of this network leads to the server too."""
    files = scratch / "tftp"
    (files / "grub" / "x86_64-efi").mkdir(parents=True)
    (files / "grub.efi").write_bytes(firmware.grub_2_06().read_bytes())
    (files / "grub" / "x86_64-efi" / "http.mod").write_bytes(firmware.grub_2_06_http_module().read_bytes())
    (files / "grub" / "grub.cfg").write_text(GRUB_CONFIGURATION.format(server=f"http,{HOST}"))
    options = ["enable-tftp", f"tftp-root={files}", "dhcp-boot=grub.efi"]
    with dhcp_network(machine, options, {80: port, port: port}, scratch) as tap:
        yield Network(f"tap,fd={tap}", (tap,))


@contextmanager
def booting_by_http(machine: Machine, port: int, scratch: Path) -> Iterator[Network]:
    """DHCP tells UEFI's HTTP boot the address of a small iPXE, and that iPXE the address of `/boot.ipxe`."""
    options = [
        "dhcp-vendorclass=set:uefi-http,HTTPClient",
        "dhcp-userclass=set:ipxe,iPXE",
        # UEFI takes an answer for one to HTTP boot only if it names the vendor class.
        "dhcp-option-force=tag:uefi-http,option:vendor-class,HTTPClient",
        f"dhcp-boot=tag:uefi-http,tag:!ipxe,http://{HOST}:{port}/{HTTP_BOOT_PATH}",
        f"dhcp-boot=tag:ipxe,http://{HOST}:{port}/boot.ipxe",
    ]
    with dhcp_network(machine, options, {port: port}, scratch) as tap:
        yield Network(f"tap,fd={tap}", (tap,))


def built_in(machine: Machine, bootfile: str) -> Network:
    """QEMU's own network, where the host's 127.0.0.1 is 10.0.2.2."""
    return Network(f"user,hostname={machine.hostname},domainname={machine.domain},bootfile={bootfile}")
