"""Machines that know nothing go from DHCP to a login prompt by the configuration that `matchboxctl dhcp` prints."""

from pathlib import Path

import pytest

from tests.boot import printed_dhcp
from tests.boot.bare_machines import boot_to_login

pytestmark = pytest.mark.boot

NETWORKS = {
    "dnsmasq": (printed_dhcp.by_dnsmasq, ["bios", "uefi", "uefi-http", "arm64", "arm64-http"]),
    "proxy": (printed_dhcp.beside_another, ["bios-menu", "uefi", "arm64"]),
    "kea": (printed_dhcp.by_kea, ["bios", "uefi", "uefi-http", "arm64", "arm64-http"]),
    "isc": (printed_dhcp.by_isc, ["uefi"]),
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
    boot_to_login(machine, NETWORKS[network][0], "127.0.0.1", tmp_path)
