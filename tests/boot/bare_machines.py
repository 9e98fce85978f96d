"""Machines that know nothing: with the firmware they come with, and nothing on their disks."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from tests.boot import clients
from tests.boot.clients import Client, booting_card, plain_card, powered_on
from tests.boot.fleet import named, write_data_directory
from tests.boot.machine import Machine
from tests.boot.networks import Network, Servers
from tests.boot.printed_dhcp import by_dnsmasq, fetch_ipxe
from tests.support.serving import started

# Each is a member of the fleet once it runs iPXE.
MACHINES = {
    "bios": Client("bios-ipxe-new", "amd64", clients.bios_pc_without_ipxe, plain_card, by_dnsmasq),
    "bios-menu": Client("bios-ipxe-new", "amd64", clients.bios_pc_with_menu, plain_card, by_dnsmasq),
    "uefi": Client("uefi-x86-64", "amd64", clients.uefi_pc, booting_card, by_dnsmasq),
    "uefi-http": Client("uefi-x86-64", "amd64", clients.http_booting_pc, booting_card, by_dnsmasq),
    "arm64": Client("arm64", "arm64", clients.networked_arm, booting_card, by_dnsmasq),
    "arm64-http": Client("arm64", "arm64", clients.http_booting_arm, booting_card, by_dnsmasq),
}


AnyNetwork = Callable[[Machine, Servers, Path], AbstractContextManager[Network]]


def boot_to_login(machine: str, network: AnyNetwork, address: str, directory: Path) -> None:
    """Boots that machine of MACHINES on the network, from `serve` at that address, until it asks for a user's name.

    Raises BootFailedError, NetworkError, RigUnavailableError.
    """
    data = directory / "data"
    data.mkdir()
    with started("--address", f"{address}:0", "--data-path", str(data)) as serve:
        boot_from(data, serve.port, machine, network, directory)
        serve.end()


def boot_from(data: Path, port: int, machine: str, network: AnyNetwork, directory: Path) -> None:
    """The same from a server of the data directory, which is filled, at that port."""
    client = replace(MACHINES[machine], network=network)
    member = replace(named(client.name), client=client)
    write_data_directory(data, member, port, "login")
    fetch_ipxe(data / "assets")
    scratch = directory / "machine"
    scratch.mkdir()
    with powered_on(client, Servers(port), member.machine, scratch) as running:
        running.wait_for(f"{member.name} login: ")
