"""Boots from `matchboxctl serve` on DynamoDB Local and versitygw."""

from pathlib import Path

import pytest

from tests.boot.clients import boot
from tests.boot.dhcp_network import HOST, SECOND_HOST
from tests.boot.fleet import FLEET, INITRAMFS, KERNEL, Member, write_data_directory
from tests.boot.store_serving import serving_stores
from tests.boot.token_free import token_free
from tests.rigs.program import free_port
from tests.rigs.service import Service
from tests.rigs.stores import new_stores

pytestmark = [pytest.mark.boot, pytest.mark.nightly]

# Those that follow no redirect. GRUB 2.06 knows no other port than 80.
TOKEN_FREE = {"grub-2.06": f"http://{SECOND_HOST}", "grub-2.12": f"http://{HOST}:{{port}}"}


@pytest.mark.parametrize("member", FLEET, ids=lambda member: member.name)
def test_machine_boots_to_its_own_configuration(
    member: Member, dynamodb_local: Service, versitygw: Service, tmp_path: Path
) -> None:
    """Redirects lead to presigned URLs; clients that follow none get the token-free address."""
    data, scratch = tmp_path / "data", tmp_path / "machine"
    scratch.mkdir()
    port = free_port()
    write_data_directory(data, member, port)
    stores = new_stores(dynamodb_local, versitygw)
    stores.fill(data)
    with token_free(versitygw, stores.name) as assets:
        address = TOKEN_FREE[member.name].format(port=assets.server_port) if member.name in TOKEN_FREE else None
        with serving_stores(stores, port, address) as servers:
            result = boot(member.client, servers._replace(assets=assets.server_port), member.machine, scratch)
    assert member.configuration == result.configuration, result.console
    assert ([KERNEL, INITRAMFS] if member.name in TOKEN_FREE else []) == assets.asked
