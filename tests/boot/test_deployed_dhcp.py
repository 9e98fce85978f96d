"""Firmware that knows nothing of iPXE boots by the DHCP and TFTP server of deploy/compose."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.boot import firmware
from tests.boot.clients import Client, boot, booting_card, http_booting_pc, networked_arm, uefi_pc
from tests.boot.dhcp_network import HOST, dhcp_network
from tests.boot.fleet import named, write_data_directory
from tests.boot.machine import Machine
from tests.boot.networks import Network, Servers, configured, places
from tests.support.paths import PROJECT
from tests.support.serving import serving

pytestmark = [pytest.mark.boot, pytest.mark.nightly]

COMPOSE = PROJECT / "deploy" / "compose"
OWN = ("interface=", "bind-dynamic", "port=", "dhcp-range=", "dhcp-option=", "log-dhcp", "#")
"""Beginnings of lines in whose place the network of these tests has its own."""


@contextmanager
def of_compose(machine: Machine, servers: Servers, scratch: Path) -> Iterator[Network]:
    """The network's only server."""
    with configured(machine, lines("dnsmasq.conf", servers), servers, scratch) as network:
        yield network


@contextmanager
def beside_another(machine: Machine, servers: Servers, scratch: Path) -> Iterator[Network]:
    """A proxy beside the server that gives addresses."""
    options = [f"dhcp-range={HOST.rpartition('.')[0]}.0,proxy", *lines("dnsmasq-proxy.conf", servers)]
    with dhcp_network(machine, [], places(servers), scratch, proxy_options=options) as tap:
        yield Network(f"tap,fd={tap}", (tap,))


def lines(name: str, servers: Servers) -> list[str]:
    """The file's, for the addresses and the files of these tests."""
    files = firmware.NEW_IPXE.directory / "usr" / "lib" / "ipxe"
    text = (COMPOSE / name).read_text().replace("10.20.13.140:8080", servers.host).replace("/usr/lib/ipxe", str(files))
    return [line for line in text.splitlines() if not line.startswith(OWN)]


CLIENTS = {
    "tftp": Client("uefi-x86-64", "amd64", uefi_pc, booting_card, of_compose),
    "tftp-arm64": Client("arm64", "arm64", networked_arm, booting_card, of_compose),
    "proxy": Client("uefi-x86-64", "amd64", uefi_pc, booting_card, beside_another),
    "proxy-arm64": Client("arm64", "arm64", networked_arm, booting_card, beside_another),
    "http": Client(
        "uefi-x86-64",
        "amd64",
        http_booting_pc,
        booting_card,
        of_compose,
        first_stage={"assets/ipxe.efi": firmware.ipxe_efi_x86_64},
    ),
}


@pytest.mark.parametrize("name", CLIENTS)
def test_uefi_gets_ipxe_and_then_its_own_configuration(name: str, tmp_path: Path) -> None:
    client = CLIENTS[name]
    member = replace(named(client.name), client=client)
    data, scratch = tmp_path / "data", tmp_path / "machine"
    scratch.mkdir()
    data.mkdir()
    with serving(data) as port:
        write_data_directory(data, member, port)
        result = boot(client, Servers(port), member.machine, scratch)
    assert member.configuration == result.configuration, result.console
