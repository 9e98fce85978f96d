"""Machines that know nothing boot from the services of deploy/compose."""

import os
from functools import partial
from pathlib import Path

import pytest

from tests.boot.bare_machines import boot_from
from tests.boot.compose_machine import by_compose
from tests.rigs.container_image import Image

pytestmark = [
    pytest.mark.boot,
    pytest.mark.nightly,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root starts Docker"),
]

PORT = 8080
BOOTS = {
    "dnsmasq.conf": ["bios", "uefi", "uefi-http", "arm64", "arm64-http"],
    "dnsmasq-proxy.conf": ["bios-menu", "uefi", "arm64"],
}


@pytest.mark.parametrize(
    ("configuration", "machine"), [(name, machine) for name, machines in BOOTS.items() for machine in machines]
)
def test_machine_that_knows_nothing_gets_to_its_login_prompt(
    configuration: str, machine: str, matchbox_image: Image, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    boot_from(data, PORT, machine, partial(by_compose, matchbox_image, data, configuration), tmp_path)
