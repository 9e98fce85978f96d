"""Boots from `matchboxctl serve` to a Linux that prints its configuration."""

from pathlib import Path

import pytest

from tests.boot.clients import boot
from tests.boot.fleet import FLEET, Member, write_data_directory
from tests.boot.networks import Servers
from tests.support.serving import serving

pytestmark = [pytest.mark.boot, pytest.mark.nightly]


@pytest.mark.parametrize("member", [pytest.param(member, id=member.name) for member in FLEET])
def test_machine_boots_to_its_own_configuration(member: Member, tmp_path: Path) -> None:
    data, scratch = tmp_path / "data", tmp_path / "machine"
    scratch.mkdir()
    data.mkdir()
    with serving(data) as port:
        write_data_directory(data, member, port)
        result = boot(member.client, Servers(port), member.machine, scratch)
    assert member.configuration == result.configuration, result.console
