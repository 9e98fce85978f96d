"""The owner's checks of a deployed stack, which the emulated account passes but where it differs from AWS."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.aws import test_account, test_door
from tests.aws.deployed import Deployed as Owned
from tests.stack.ministack.deployment import Deployed

pytestmark = [pytest.mark.real, pytest.mark.nightly]


@pytest.fixture(scope="module")
def owned(deployed: Deployed) -> Iterator[Owned]:
    """The stack with an asset; names of AWS's lead to the emulator."""
    connect, account = socket.create_connection, deployed.account

    def connected(address: tuple[str, int], *rest: Any, **options: Any) -> socket.socket:
        ours = address[0] in ("localhost", "127.0.0.1")
        return connect(address if ours else ("127.0.0.1", account.plain_port), *rest, **options)

    deployed.command("init")
    deployed.stores.put_asset("vmlinuz", b"kernel")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in account.environment().items():
            patch.setenv(name, value)
        patch.setattr(socket, "create_connection", connected)
        yield Owned(deployed.name)


@pytest.mark.parametrize("check", ["addresses", "head", "range", "http10", "signatures", "times"])
def test_door_passes(check: str, owned: Owned) -> None:
    getattr(test_door, f"test_{check}")(owned)


def test_machines_that_ask_at_once_get_their_own(owned: Owned) -> None:
    test_door.test_shared(owned, 20)


@pytest.mark.parametrize("check", ["function_url", "bucket", "client"])
def test_account_passes(check: str, owned: Owned) -> None:
    getattr(test_account, f"test_{check}")(owned)


@pytest.mark.parametrize("role", ["BootHistoryRole", "ScheduleRole"])
def test_roles_without_keys_of_items_pass(role: str, owned: Owned) -> None:
    test_account.test_roles(role, owned)


def test_balancer_that_decodes_queries_fails(owned: Owned) -> None:
    with pytest.raises(AssertionError, match="arrived as"):
        test_door.test_queries(owned)


@pytest.mark.parametrize("role", ["BootApiRole", "SignedApiRole", "AssetSyncRole"])
def test_roles_that_reach_every_item_fail(role: str, owned: Owned) -> None:
    """`adapted` removes the condition that the emulator does not know."""
    with pytest.raises(AssertionError, match=r"dynamodb:GetItem table .* is allowed"):
        test_account.test_roles(role, owned)


def test_alarms_that_nobody_evaluates_fail(owned: Owned) -> None:
    with pytest.raises(AssertionError, match="not evaluated"):
        test_account.test_alarms(owned)
