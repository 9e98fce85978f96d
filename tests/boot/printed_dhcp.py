"""Networks whose DHCP servers have exactly the configuration that `matchboxctl dhcp` prints.

What else a network needs, such as a TFTP server beside Kea, is told by flags.
"""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.boot import firmware
from tests.boot.dhcp_network import GUEST, HOST, PREFIX, SECOND_HOST, dnsmasq
from tests.boot.machine import Machine
from tests.boot.namespace import CARD
from tests.boot.networks import Network, Servers
from tests.boot.segment import HOSTS_CARD, LOOPBACK, Place, on_own_host, segment
from tests.rigs.install import on_path

HOST_6 = "fd00::2"
PREFIX_6 = 64
NO_FILE = Path("/dev/null")

# What a network's router says, which is not a matter of booting.
ADVERTISEMENT = f"""\
interface {CARD} {{
    AdvSendAdvert on;
    AdvManagedFlag on;
    prefix {HOST_6}/{PREFIX_6} {{ AdvAutonomous off; }};
}};
"""

# Kea keeps its state in fixed places, which are its own here.
IN_OWN_DIRECTORIES = 'for at in /run /var/lib; do mount -t tmpfs kea $at; mkdir $at/kea; done; exec "$@"'


@contextmanager
def by_dnsmasq(_: Machine, servers: Servers, scratch: Path) -> Iterator[Network]:
    """The network's only server is dnsmasq."""
    configuration = printed(scratch, servers, HOST, "dnsmasq", "--tftp-root", tftp_root(scratch))
    with served([dnsmasq(configuration, scratch)], servers, scratch) as network:
        yield network


@contextmanager
def beside_another(_: Machine, servers: Servers, scratch: Path) -> Iterator[Network]:
    """A server gives addresses, and dnsmasq, on a host of its own, says what to boot."""
    flags = ("--proxy", "--tftp-root", tftp_root(scratch))
    configuration = printed(scratch, servers, HOST, "dnsmasq", *flags, interface=HOSTS_CARD)
    proxy = on_own_host("proxy", f"{SECOND_HOST}/{PREFIX}", dnsmasq(configuration, scratch))
    another = [*flagged_dnsmasq(scratch), f"--dhcp-range={GUEST},{GUEST}"]
    with served([another, proxy], servers, scratch) as network:
        yield network


@contextmanager
def by_kea(_: Machine, servers: Servers, scratch: Path) -> Iterator[Network]:
    """Kea beside a TFTP server."""
    configuration = printed(scratch, servers, HOST, "kea")
    with served([kea(4, configuration), tftp_server(scratch)], servers, scratch) as network:
        yield network


@contextmanager
def by_isc(_: Machine, servers: Servers, scratch: Path) -> Iterator[Network]:
    """ISC DHCP beside a TFTP server."""
    configuration, leases = printed(scratch, servers, HOST, "isc"), scratch / "dhcpd.leases"
    leases.touch()
    own = [
        "-f",
        "-q",
        "-cf",
        configuration,
        "-lf",
        leases,
        "-pf",
        scratch / "dhcpd.pid",
        "-user",
        "root",
        "-group",
        "root",
    ]
    with served([[on_path("dhcpd", "isc-dhcp-server"), *own, CARD], tftp_server(scratch)], servers, scratch) as network:
        yield network


@contextmanager
def by_dnsmasq_over_ipv6(_: Machine, servers: Servers, scratch: Path) -> Iterator[Network]:
    """There is no IPv4, and dnsmasq is the network's only server."""
    configuration = printed(scratch, servers, HOST_6, "dnsmasq", "--tftp-root", tftp_root(scratch))
    with served([dnsmasq(configuration, scratch)], servers, scratch, HOST_6) as network:
        yield network


@contextmanager
def by_kea_over_ipv6(_: Machine, servers: Servers, scratch: Path) -> Iterator[Network]:
    """There is no IPv4, and Kea is beside a TFTP server, on a network that has a router."""
    configuration = printed(scratch, servers, HOST_6, "kea")
    commands = [kea(6, configuration), tftp_server(scratch), router(scratch)]
    with served(commands, servers, scratch, HOST_6) as network:
        yield network


def printed(scratch: Path, servers: Servers, host: str, server: str, *flags: str | Path, interface: str = CARD) -> Path:
    """The file with what the command prints for this network; iPXE is put in the place that it names."""
    fetch_ipxe(tftp_root(scratch))
    url = f"http://[{host}]:{servers.boot}" if ":" in host else f"http://{host}:{servers.boot}"
    file = scratch / f"{server}.conf"
    file.write_bytes(matchboxctl("dhcp", server, "--url", url, "--interface", interface, *flags))
    return file


def fetch_ipxe(into: Path) -> None:
    """Puts iPXE of Debian 13 there; Debian 12 has none for ARM64."""
    matchboxctl("ipxe", "fetch", "--from", firmware.NEW_IPXE.directory / "usr" / "lib" / "ipxe", "--into", into)


def matchboxctl(*arguments: str | Path) -> bytes:
    """What the command prints."""
    command = [sys.executable, "-m", "matchboxctl.main", *arguments]
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True).stdout


def tftp_root(scratch: Path) -> Path:
    return scratch / "tftp"


def kea(version: int, configuration: Path) -> list[str | Path]:
    """The command line of Kea for that version of IP. Raises RigUnavailableError."""
    program = on_path(f"kea-dhcp{version}", f"kea-dhcp{version}-server")
    own = [on_path("unshare", "util-linux"), "--mount", "sh", "-e", "-c", IN_OWN_DIRECTORIES, "sh"]
    return [*own, program, "-c", configuration]


def tftp_server(scratch: Path) -> list[str]:
    return [*flagged_dnsmasq(scratch), "--enable-tftp", f"--tftp-root={tftp_root(scratch)}"]


def router(scratch: Path) -> list[str | Path]:
    """The command line of radvd, which tells machines to ask DHCPv6. Raises RigUnavailableError."""
    file = scratch / "radvd.conf"
    file.write_text(ADVERTISEMENT)
    return [on_path("radvd", "radvd"), "-n", "-m", "stderr", "-C", file, "-p", scratch / "radvd.pid"]


def flagged_dnsmasq(scratch: Path) -> list[str]:
    """The command line of a dnsmasq that has flags alone."""
    return [*dnsmasq(NO_FILE, scratch), f"--interface={CARD}", "--bind-dynamic", "--port=0"]


@contextmanager
def served(
    commands: Sequence[Sequence[str | Path]], servers: Servers, scratch: Path, host: str = HOST
) -> Iterator[Network]:
    """The network where these commands run, and where the boot server is reached at that address."""
    prefix, loopback = (PREFIX_6, "::1") if ":" in host else (PREFIX, LOOPBACK)
    places = {Place(host, servers.boot): servers.boot}
    with segment([f"{host}/{prefix}"], commands, places, scratch, loopback) as tap:
        yield Network(f"tap,fd={tap}", (tap,))
