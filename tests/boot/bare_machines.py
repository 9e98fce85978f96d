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


def boot_to_login(
    machine: str,
    network: Callable[[Machine, Servers, Path], AbstractContextManager[Network]],
    address: str,
    directory: Path,
) -> None:
    """Boots that machine of MACHINES on the network, from `serve` at that address, until it asks for a user's name.

    Raises BootFailedError, NetworkError, RigUnavailableError.
    """
    client = replace(MACHINES[machine], network=network)
    member = replace(named(client.name), client=client)
    data, scratch = directory / "data", directory / "machine"
    data.mkdir()
    scratch.mkdir()
    with started("--address", f"{address}:0", "--data-path", str(data)) as serve:
        write_data_directory(data, member, serve.port, "login")
        fetch_ipxe(data / "assets")
        with powered_on(client, Servers(serve.port), member.machine, scratch) as running:
            running.wait_for(f"{member.name} login: ")
        serve.end()
