"""A network for one machine, with dnsmasq as its DHCP and TFTP server, and as that of a name.

QEMU's built-in DHCP server names one boot file and nothing else. UEFI's HTTP boot wants the vendor class `HTTPClient`
in the answer, and iPXE another boot file than the firmware that loaded it. Addresses are those of QEMU's built-in
network.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.boot.machine import Machine
from tests.boot.namespace import CARD
from tests.boot.segment import Place, segment
from tests.rigs.install import on_path

HOST = "10.0.2.2"
SECOND_HOST = "10.0.2.4"
GUEST = "10.0.2.15"
PREFIX = 24
FILES = {"pid-file": "pid", "dhcp-leasefile": "leases", "log-facility": "log"}


@contextmanager
def dhcp_network(
    machine: Machine,
    boot_options: Sequence[str],
    places: Mapping[Place, int],
    scratch: Path,
    name: str | None = None,
) -> Iterator[int]:
    """Yields the descriptor of a tap device for QEMU's `-netdev tap,fd=`.

    `boot_options` are lines of dnsmasq's configuration; `places` says for each place, as the guest sees it, the port of
    this machine's 127.0.0.1 that answers. HOST may have a `name`, the only one that there is. dnsmasq's log is kept in
    `scratch`. Raises NetworkError and RigUnavailableError.
    """
    file = scratch / "dnsmasq.conf"
    own = [f"interface={CARD}", "bind-interfaces", *dhcp_options(machine), *name_options(name)]
    file.write_text("\n".join([*own, *boot_options, ""]))
    addresses = [f"{address}/{PREFIX}" for address in (HOST, SECOND_HOST)]
    with segment(addresses, [dnsmasq(file, scratch)], places, scratch) as tap:
        yield tap


def dnsmasq(configuration: Path, scratch: Path) -> list[str]:
    """The command line of a dnsmasq with that file, whose own files are in `scratch`. Raises RigUnavailableError."""
    return [
        *(on_path("dnsmasq", "dnsmasq-base"), "--keep-in-foreground", f"--conf-file={configuration}", "--log-dhcp"),
        # No change of user, nor of group, which a user namespace would refuse: the scratch directory is private.
        *("--user=root", "--group="),
        *(f"--{option}={scratch / configuration.stem}.{end}" for option, end in FILES.items()),
    ]


def dhcp_options(machine: Machine) -> list[str]:
    return [
        f"dhcp-range={GUEST},{GUEST}",
        f"dhcp-host={machine.mac},{GUEST},{machine.hostname}",
        f"domain={machine.domain}",
        "dhcp-authoritative",
        "no-ping",
    ]


def name_options(name: str | None) -> list[str]:
    return ["port=0"] if name is None else ["no-resolv", "no-hosts", f"address=/{name}/{HOST}"]
