"""A boot from the container image."""

from pathlib import Path

import pytest

from tests.boot.clients import boot
from tests.boot.fleet import FLEET, write_data_directory
from tests.boot.networks import Servers
from tests.rigs.container import Volume, container
from tests.rigs.container_image import Image
from tests.support.serving import started

pytestmark = [pytest.mark.boot, pytest.mark.nightly]


def test_machine_boots_from_a_container(matchbox_image: Image, tmp_path: Path) -> None:
    [member] = (member for member in FLEET if member.name == "bios-ipxe-new")
    data, scratch = tmp_path / "data", tmp_path / "machine"
    scratch.mkdir()
    data.mkdir()
    with (
        container(matchbox_image, "-address=127.0.0.1:0", volumes=[Volume(data)]) as made,
        started(command=made.command) as serve,
    ):
        write_data_directory(data, member, serve.port)
        result = boot(member.client, Servers(serve.port), member.machine, scratch)
        serve.end()
    assert member.configuration == result.configuration, result.console
