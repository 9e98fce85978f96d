"""The same as `test_printed_dhcp.py` on a network without IPv4, which firmware waits for first."""

from pathlib import Path

import pytest

from tests.boot import printed_dhcp
from tests.boot.bare_machines import boot_to_login

pytestmark = [pytest.mark.boot, pytest.mark.nightly]

NETWORKS = {"dnsmasq": printed_dhcp.by_dnsmasq_over_ipv6, "kea": printed_dhcp.by_kea_over_ipv6}


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("machine", ["uefi", "uefi-http", "arm64", "arm64-http"])
def test_machine_gets_to_its_login_prompt_without_ipv4(network: str, machine: str, tmp_path: Path) -> None:
    boot_to_login(machine, NETWORKS[network], "[::]", tmp_path)
