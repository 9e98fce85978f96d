"""The DHCP and TFTP configuration that leads each client to the HTTP server."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from tests.boot import firmware
from tests.boot.dhcp_network import HOST, SECOND_HOST, dhcp_network
from tests.boot.machine import Machine
from tests.boot.segment import LOOPBACK, Place

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


class Servers(NamedTuple):
    """Ports of this machine's 127.0.0.1: the boot server's, and those of stores that it sends clients to.

    `bucket` serves signed addresses, which name it as the boot server knows it: 127.0.0.1 and that port. A guest
    reaches it there: iPXE does not keep 127.0.0.1 to itself, and QEMU's built-in network connects to whatever address
    the guest wants, as this machine would. `assets` serves the same objects without a token, and `https` is the boot
    server's port for that. A boot server with a `name` is found by it, at the ports 80 and 443.
    """

    boot: int
    bucket: int | None = None
    assets: int | None = None
    https: int | None = None
    name: str | None = None

    @property
    def host(self) -> str:
        """What a guest's addresses of the boot server begin with, after `http://`."""
        return self.name or f"{HOST}:{self.boot}"


@contextmanager
def naming_boot_script(machine: Machine, servers: Servers, scratch: Path) -> Iterator[Network]:
    """DHCP names `/boot.ipxe`, to a client that is iPXE already."""
    address = f"http://{servers.host}/boot.ipxe"
    if servers.name is None:
        yield built_in(machine, address)
        return
    with configured(machine, [f"dhcp-boot={address}"], servers, scratch) as network:
        yield network


@contextmanager
def loading_grub_2_12(machine: Machine, servers: Servers, scratch: Path) -> Iterator[Network]:
    """UEFI loads GRUB 2.12 by TFTP, which knows ports in addresses: `(http,HOST:PORT)`.

    It has no `linuxefi` command, so the first entry of `/grub` fails, and after ten seconds it boots the second.
    """
    files = scratch / "tftp"
    (files / "grub").mkdir(parents=True)
    (files / "grub.efi").write_bytes(firmware.grub_2_12().read_bytes())
    (files / "grub" / "grub.cfg").write_text(GRUB_CONFIGURATION.format(server=f"http,{servers.host}"))
    if servers.name is None:
        yield built_in(machine, f"grub.efi,tftp={files}")
        return
    with configured(machine, by_tftp(files), servers, scratch) as network:
        yield network


@contextmanager
def loading_grub_2_06(machine: Machine, servers: Servers, scratch: Path) -> Iterator[Network]:
    """UEFI loads GRUB 2.06 by TFTP, which knows port 80 only; so port 80 leads to the boot server too.

    Port 80 of a second host leads to the token-free server.
    """
    files = scratch / "tftp"
    (files / "grub" / "x86_64-efi").mkdir(parents=True)
    (files / "grub.efi").write_bytes(firmware.grub_2_06().read_bytes())
    (files / "grub" / "x86_64-efi" / "http.mod").write_bytes(firmware.grub_2_06_http_module().read_bytes())
    (files / "grub" / "grub.cfg").write_text(GRUB_CONFIGURATION.format(server=f"http,{servers.name or HOST}"))
    port_80 = {Place(HOST, 80): servers.boot, Place(SECOND_HOST, 80): servers.assets or servers.boot}
    with configured(machine, by_tftp(files), servers, scratch, port_80) as network:
        yield network


@contextmanager
def booting_by_http(machine: Machine, servers: Servers, scratch: Path, path: str = HTTP_BOOT_PATH) -> Iterator[Network]:
    """DHCP tells UEFI's HTTP boot the address of a program, and if that is a small iPXE the address of `/boot.ipxe`."""
    options = [
        "dhcp-vendorclass=set:uefi-http,HTTPClient",
        "dhcp-userclass=set:ipxe,iPXE",
        # UEFI takes an answer for one to HTTP boot only if it names the vendor class.
        "dhcp-option-force=tag:uefi-http,option:vendor-class,HTTPClient",
        f"dhcp-boot=tag:uefi-http,tag:!ipxe,http://{servers.host}/{path}",
        f"dhcp-boot=tag:ipxe,http://{servers.host}/boot.ipxe",
    ]
    with configured(machine, options, servers, scratch) as network:
        yield network


def by_tftp(files: Path) -> list[str]:
    return ["enable-tftp", f"tftp-root={files}", "dhcp-boot=grub.efi"]


@contextmanager
def configured(
    machine: Machine,
    options: Sequence[str],
    servers: Servers,
    scratch: Path,
    more: Mapping[Place, int] = MappingProxyType({}),
) -> Iterator[Network]:
    """A network with these options of its DHCP server, and with the servers at their places and at `more`."""
    with dhcp_network(machine, options, {**places(servers), **more}, scratch, servers.name) as tap:
        yield Network(f"tap,fd={tap}", (tap,))


def places(servers: Servers) -> dict[Place, int]:
    """The places where a guest finds them: those of QEMU's built-in network, and the ports of a name."""
    found = {Place(HOST, port): port for port in (servers.boot, servers.assets, servers.https) if port is not None}
    if servers.name is not None:
        named = {80: servers.boot, 443: servers.https}
        found |= {Place(HOST, port): leads for port, leads in named.items() if leads is not None}
    if servers.bucket is not None:
        found[Place(LOOPBACK, servers.bucket)] = servers.bucket
    return found


def built_in(machine: Machine, bootfile: str) -> Network:
    """QEMU's own network, where the host's 127.0.0.1 is 10.0.2.2."""
    return Network(f"user,hostname={machine.hostname},domainname={machine.domain},bootfile={bootfile}")
