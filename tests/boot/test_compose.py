"""Machines that know nothing boot from the services of deploy/compose."""

import os
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tests.boot import clients
from tests.boot.clients import booting_card, plain_card, powered_on
from tests.boot.compose_machine import by_compose
from tests.boot.fleet import named, write_data_directory
from tests.boot.networks import Servers
from tests.boot.printed_dhcp import fetch_ipxe
from tests.rigs.container_image import Image

pytestmark = [
    pytest.mark.boot,
    pytest.mark.nightly,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root has the capabilities that services are given"),
]

PORT = 8080
# Each is a member of the fleet once it runs iPXE.
MACHINES = {
    "bios": ("bios-ipxe-new", clients.bios_pc_without_ipxe, plain_card),
    "uefi": ("uefi-x86-64", clients.uefi_pc, booting_card),
    "uefi-http": ("uefi-x86-64", clients.http_booting_pc, booting_card),
    "arm64": ("arm64", clients.networked_arm, booting_card),
}


@pytest.mark.parametrize(
    ("machine", "configuration"),
    [
        *((machine, "dnsmasq.conf") for machine in MACHINES),
        *((machine, "dnsmasq-proxy.conf") for machine in MACHINES if machine != "uefi-http"),
    ],
)
def test_machine_that_knows_nothing_gets_to_its_login_prompt(
    machine: str, configuration: str, matchbox_image: Image, tmp_path: Path
) -> None:
    name, hardware, card = MACHINES[machine]
    member, data, scratch = named(name), tmp_path / "data", tmp_path / "machine"
    scratch.mkdir()
    data.mkdir()
    write_data_directory(data, member, PORT, "login")
    fetch_ipxe(data / "assets")
    network = partial(by_compose, matchbox_image, data, configuration)
    client = replace(member.client, hardware=hardware, card=card, network=network)
    with powered_on(client, Servers(PORT), member.machine, scratch) as running:
        running.wait_for(f"{member.name} login: ")
