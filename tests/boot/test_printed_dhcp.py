"""Machines that know nothing go from DHCP to a login prompt by the configuration that `matchboxctl dhcp` prints."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.boot import clients, printed_dhcp
from tests.boot.clients import Client, booting_card, plain_card, powered_on
from tests.boot.fleet import named, write_data_directory
from tests.boot.networks import Servers
from tests.boot.printed_dhcp import by_dnsmasq
from tests.support.serving import started

pytestmark = pytest.mark.boot

# Each is a member of the fleet once it runs iPXE.
MACHINES = {
    "bios": Client("bios-ipxe-new", "amd64", clients.bios_pc_without_ipxe, plain_card, by_dnsmasq),
    "bios-menu": Client("bios-ipxe-new", "amd64", clients.bios_pc_with_menu, plain_card, by_dnsmasq),
    "uefi": Client("uefi-x86-64", "amd64", clients.uefi_pc, booting_card, by_dnsmasq),
    "uefi-http": Client("uefi-x86-64", "amd64", clients.http_booting_pc, booting_card, by_dnsmasq),
    "arm64": Client("arm64", "arm64", clients.networked_arm, booting_card, by_dnsmasq),
    "arm64-http": Client("arm64", "arm64", clients.http_booting_arm, booting_card, by_dnsmasq),
}
NETWORKS = {
    "dnsmasq": (by_dnsmasq, ["bios", "uefi", "uefi-http", "arm64", "arm64-http"]),
    "proxy": (printed_dhcp.beside_another, ["bios-menu", "uefi", "arm64"]),
    "kea": (printed_dhcp.by_kea, ["bios", "uefi", "uefi-http", "arm64", "arm64-http"]),
    "dnsmasq-ipv6": (printed_dhcp.by_dnsmasq_over_ipv6, ["uefi", "uefi-http", "arm64", "arm64-http"]),
    "kea-ipv6": (printed_dhcp.by_kea_over_ipv6, ["uefi", "uefi-http", "arm64", "arm64-http"]),
}
QUICK = ("dnsmasq", "uefi")


@pytest.mark.parametrize(
    ("network", "machine"),
    [
        pytest.param(network, machine, marks=() if (network, machine) == QUICK else pytest.mark.nightly)
        for network, (_, machines) in NETWORKS.items()
        for machine in machines
    ],
)
def test_machine_that_knows_nothing_gets_to_its_login_prompt(network: str, machine: str, tmp_path: Path) -> None:
    client = replace(MACHINES[machine], network=NETWORKS[network][0])
    member = replace(named(client.name), client=client)
    data, scratch = tmp_path / "data", tmp_path / "machine"
    scratch.mkdir()
    data.mkdir()
    address = "[::]:0" if network.endswith("ipv6") else "127.0.0.1:0"
    with started("--address", address, "--data-path", str(data)) as serve:
        write_data_directory(data, member, serve.port, "login")
        printed_dhcp.fetch_ipxe(data / "assets")
        with powered_on(client, Servers(serve.port), member.machine, scratch) as running:
            running.wait_for(f"{member.name} login: ")
        serve.end()
