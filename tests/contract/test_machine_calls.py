"""What machines of groups with a boot policy cost the table, and what they get when the table fails them."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from lambda_matchbox.aws.catalog.reader import POLICY_MEMORY
from lambda_matchbox.aws.keys import TOKEN_KEYS, machine_key
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import NetBoot, Profile
from lambda_matchbox.machines.identities import Identities
from lambda_matchbox.machines.policy import Policy
from lambda_matchbox.machines.state import MachineState
from tests.contract.boot_app import BootApp, boot_app
from tests.contract.conftest import ON_DYNAMODB, MakeTable
from tests.contract.test_fsck import change, delete
from tests.contract.test_machine_fsck import put
from tests.rigs.catalog_table import CatalogTable
from tests.rigs.faults import FORBIDDEN, INTERNAL_ERROR, THROTTLED, PassThrough, Respond, Withhold

SCRIPT, CONFIGURATION = 2, 3
"""The calls of a warm function for a machine of a group without a policy."""

POLICIES = {
    "plain": None,
    "approve": Policy(approve=True),
    "once": Policy(once=True),
    "token": Policy(token=True),
    "from": Policy(from_networks=("10.0.0.0/8",)),
}
CONFIGURATIONS = ("/generic", "/metadata")
FAULTS = {"throttled": THROTTLED, "fails": INTERNAL_ERROR, "refuses": FORBIDDEN}


@pytest.fixture(scope="module", params=ON_DYNAMODB)
def table(request: pytest.FixtureRequest, made: MakeTable) -> Iterator[CatalogTable]:
    """A group with each policy."""
    with closing(made(request.getfixturevalue(request.param))) as table:
        table.writer.put_template("generic", "t", b"configuration")
        table.writer.put_profile(Profile("p", generic_id="t", boot=NetBoot("/assets/vmlinuz")))
        table.fill(*(Group(name, profile="p", selector={"os": name}, boot=boot) for name, boot in POLICIES.items()))
        yield table


@pytest.fixture
def app(table: CatalogTable) -> Iterator[BootApp]:
    """An app that has answered a machine."""
    with boot_app(table) as app:
        app.send("/ipxe", os="plain")
        yield app
        app.proxy.switch(PassThrough())


@pytest.fixture
def labels(table: CatalogTable) -> Iterator[dict[str, str]]:
    """Those of an approved machine without a delivery."""
    node = Identities("52:54:00:12:34:56", "4c4c4544-0038-4410-8052-b3c04f4b5931", "S1")
    for identity in node.keys:
        put(table, machine_key(identity), MachineState(node, approved=1))
    yield node._asdict()
    for identity in node.keys:
        delete(table, machine_key(identity))


def token(app: BootApp, labels: dict[str, str]) -> dict[str, str]:
    """The label of a token of the machine."""
    found = re.search(rb"^set token (\S+)$", app.send("/ipxe", os="token", **labels).body, re.MULTILINE)
    assert found is not None
    return {"token": found[1].decode()}


@pytest.mark.parametrize("policy", ["plain", "approve", "from"])
def test_a_policy_without_deliveries_costs_nothing(app: BootApp, labels: dict[str, str], policy: str) -> None:
    """Neither a call more nor a write."""
    assert [SCRIPT, CONFIGURATION] == [app.cost(path, os=policy, **labels) for path in ("/ipxe", "/generic")]


def test_the_first_policy_after_many_groups_without_one_costs_one_read_once(
    app: BootApp, table: CatalogTable, labels: dict[str, str]
) -> None:
    """Its machines' states are read all the same."""
    assert [SCRIPT] * POLICY_MEMORY == [app.cost("/ipxe", os="plain", **labels) for _ in range(POLICY_MEMORY)]
    mac = f"mac:{labels['mac']}"
    put(table, machine_key(mac), MachineState(Identities(labels["mac"]), approved=1, held=1))
    calls = app.calls("/ipxe", os="approve", **labels)
    assert (calls["BatchGetItem"], calls.total()) == (SCRIPT + 1, SCRIPT + 1)
    assert b"it is held" in app.send("/ipxe", os="approve", **labels).body
    assert app.cost("/ipxe", os="approve", **labels) == SCRIPT


def test_once_costs_one_write_at_the_first_delivery(app: BootApp, labels: dict[str, str]) -> None:
    assert app.cost("/ipxe", os="once", **labels) == SCRIPT
    first = app.calls("/generic", os="once", **labels)
    assert first == Counter(TransactWriteItems=1) + (first & Counter(GetItem=9, BatchGetItem=9))
    assert first.total() == CONFIGURATION + 1
    assert app.cost("/generic", os="once", **labels) == CONFIGURATION


def test_token_costs_a_read_of_the_keys_and_one_write(app: BootApp, labels: dict[str, str]) -> None:
    """The keys are read once, whatever follows within five minutes."""
    assert app.cost("/ipxe", os="token", **labels) == SCRIPT + 1
    assert app.cost("/ipxe", os="token", **labels) == SCRIPT
    named = token(app, labels)
    first = app.calls("/generic", os="token", **labels, **named)
    assert (first["TransactWriteItems"], first.total()) == (1, CONFIGURATION + 1)
    assert app.cost("/generic", os="token", **labels, **named) == CONFIGURATION


@pytest.mark.parametrize("fault", FAULTS)
def test_without_a_record_of_it_nothing_is_delivered(app: BootApp, labels: dict[str, str], fault: str) -> None:
    """All that needs no record is answered."""
    named = token(app, labels)
    app.proxy.switch(_only(FAULTS[fault], "TransactWriteItems"))
    assert app.send("/generic", os="once", **labels).status == 503
    assert app.send("/metadata", os="token", **labels, **named).status == 503
    assert {200} == {app.send("/generic", os=policy, **labels).status for policy in ("plain", "approve", "from")}
    app.proxy.switch(PassThrough())
    assert app.send("/generic", os="once", **labels).body == b"configuration"


@pytest.mark.parametrize("fault", FAULTS)
def test_without_keys_no_token_is_given(app: BootApp, labels: dict[str, str], fault: str) -> None:
    app.proxy.switch(_only(FAULTS[fault], "GetItem"))
    assert app.send("/ipxe", os="token", **labels).status == 503
    assert {200} == {app.send("/ipxe", os=policy, **labels).status for policy in POLICIES if policy != "token"}


def test_damaged_keys_give_no_token(table: CatalogTable, labels: dict[str, str]) -> None:
    item = table.client.get_item(TableName=table.name, Key={"pk": {"S": TOKEN_KEYS}})["Item"]
    name = next(name for name in item if name[1:].isdigit())
    try:
        for value in ("%", "", 5, None):
            change(table, TOKEN_KEYS, **{name: value})
            with boot_app(table) as app:
                assert app.send("/ipxe", os="token", **labels).status == 503
                assert app.send("/generic", os="token", **labels, token="x").status == 503
                assert app.send("/ipxe", os="once", **labels).status == 200
    finally:
        table.client.put_item(TableName=table.name, Item=item)


@pytest.mark.parametrize("keys", [1, 3])
def test_states_that_are_not_read_delay_only_machines_that_need_them(
    app: BootApp, labels: dict[str, str], keys: int
) -> None:
    """Some or all of the three."""
    app.proxy.switch(Withhold(keys), times=1)
    assert SCRIPT == app.cost("/ipxe", os="plain", **labels)
    app.proxy.switch(Withhold(keys), times=1)
    assert SCRIPT + 1 == app.cost("/ipxe", os="approve", **labels)


@pytest.mark.parametrize("lost", ["mac", "uuid", "serial"])
def test_a_lost_record_is_a_503(table: CatalogTable, app: BootApp, labels: dict[str, str], lost: str) -> None:
    """Where another record of the machine is read that names it."""
    delete(table, machine_key(f"{lost}:{labels[lost]}"))
    for path in ("/ipxe", "/grub", *CONFIGURATIONS):
        assert {503} == {app.send(path, os=policy, **labels).status for policy in POLICIES if policy != "plain"}
        assert app.send(path, os="plain", **labels).status == 200
    table.fsck(repair=True)
    assert app.send("/generic", os="once", **labels).status == 200


@pytest.mark.parametrize("damaged", ["mac", "uuid", "serial"])
def test_a_damaged_record_is_a_503(table: CatalogTable, app: BootApp, labels: dict[str, str], damaged: str) -> None:
    """Of each identity, for every group with a policy."""
    change(table, machine_key(f"{damaged}:{labels[damaged]}"), state="{}")
    for path in ("/ipxe", "/grub", *CONFIGURATIONS):
        assert {503} == {app.send(path, os=policy, **labels).status for policy in POLICIES if policy != "plain"}
        assert app.send(path, os="plain", **labels).status == 200


def test_a_record_that_never_agrees_is_a_503(table: CatalogTable, app: BootApp, labels: dict[str, str]) -> None:
    """The condition of the write fails for ever."""
    change(table, machine_key(f"uuid:{labels['uuid']}"), rev="another")
    named = token(app, labels)
    for path in CONFIGURATIONS:
        assert app.send(path, os="once", **labels).status == 503
        assert app.send(path, os="token", **labels, **named).status == 503
        assert app.send(path, os="plain", **labels).status == 200
    table.fsck(repair=True)
    assert app.send("/generic", os="once", **labels).status == 200


def _only(response: Respond, operation: str) -> Respond:
    return replace(response, only=operation)
