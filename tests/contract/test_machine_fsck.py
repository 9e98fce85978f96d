"""Damaged records of machines and keys of tokens: each has its finding, and no repair lets a machine do more."""

from collections.abc import Callable

import pytest

from lambda_matchbox.aws.clients.dynamodb_json import decode_item, encode_item
from lambda_matchbox.aws.fsck.rules import Kind
from lambda_matchbox.aws.keys import TOKEN_KEYS, machine_key
from lambda_matchbox.aws.machines import TableMachines
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.machines.gate import MachineRequest, verdict
from lambda_matchbox.machines.identities import Identities
from lambda_matchbox.machines.policy import Policy
from lambda_matchbox.machines.records import text_of
from lambda_matchbox.machines.state import MachineState, armed, held
from tests.contract.test_fsck import change, delete
from tests.rigs.catalog_table import ENOUGH, CatalogTable

NOW = 1_700_000_000
NODE = Identities("52:54:00:12:34:56", "4c4c4544-0038-4410-8052-b3c04f4b5931", "S1")
OTHER = Identities("52:54:00:00:00:01", "5d5d4544-0038-4410-8052-b3c04f4b5931")
ONCE = Policy(approve=True, once=True)
INSTALLED = MachineState(NODE, approved=1, installed=2, boot="b")
MAC, UUID, SERIAL = map(machine_key, NODE.keys)


@pytest.fixture
def machines(table: CatalogTable) -> TableMachines:
    """Two machines and a key, of a group with a policy."""
    table.writer.put_profile(Profile("p"))
    table.fill(Group("g", profile="p", boot=Policy(token=True)))
    machines = TableMachines(table.dynamodb(), table.name, call_timeout=ENOUGH)
    machines.write(None, INSTALLED)
    machines.write(None, MachineState(OTHER, approved=1))
    return machines


def put(table: CatalogTable, key: str, state: MachineState, rev: str = "0") -> None:
    table.client.put_item(TableName=table.name, Item=encode_item({"pk": key, "state": text_of(state), "rev": rev}))


def claim(table: CatalogTable) -> None:
    """The second machine has the record under the first one's serial number."""
    both = MachineState(OTHER._replace(serial=NODE.serial), approved=1)
    for identity in both.identities.keys:
        put(table, machine_key(identity), both, "9")


DAMAGE: dict[str, tuple[Kind, Callable[[CatalogTable], None]]] = {
    "no state": (Kind.UNREADABLE, lambda t: change(t, UUID, state=None)),
    "no revision": (Kind.UNREADABLE, lambda t: change(t, MAC, rev=None)),
    "cut off": (Kind.UNREADABLE, lambda t: change(t, MAC, state='{"identi')),
    "of another type": (Kind.UNREADABLE, lambda t: change(t, UUID, state='{"identities": {"mac": "x"}, "held": "no"}')),
    "bytes": (Kind.UNREADABLE, lambda t: change(t, UUID, state=b"x")),
    "a record is missing": (Kind.MISSING, lambda t: delete(t, UUID)),
    "that of the id is missing": (Kind.MISSING, lambda t: delete(t, MAC)),
    "an older one is armed": (
        Kind.WRONG,
        lambda t: put(t, UUID, armed(INSTALLED._replace(installed=0), 2 * NOW, "a")),
    ),
    "a newer one is armed": (Kind.WRONG, lambda t: put(t, UUID, armed(INSTALLED, 2 * NOW, "a"), "z")),
    "one is held": (Kind.WRONG, lambda t: put(t, SERIAL, held(INSTALLED, NOW))),
    "only the revisions differ": (Kind.WRONG, lambda t: put(t, SERIAL, INSTALLED)),
    "claimed by another": (Kind.WRONG, claim),
    "all are damaged": (
        Kind.UNREADABLE,
        lambda t: [change(t, key, state="x") for key in (MAC, UUID, SERIAL)] and None,
    ),
    "left by another": (
        Kind.WRONG,
        lambda t: put(t, UUID, MachineState(NODE._replace(uuid=OTHER.uuid))),
    ),
}


def allowed(machines: TableMachines, named: Identities) -> bool:
    """Whether a machine that names itself so would get a script."""
    try:
        states = [state for identity in named.keys if (state := machines.read(identity)) is not None]
    except StoreUnavailableError:
        return False
    return verdict(ONCE, states, MachineRequest(named, "10.0.0.5", "g", kind="script"), {}, NOW).kind == "allow"


SHOWN = (NODE, NODE._replace(mac=""), Identities(mac=NODE.mac), Identities(serial=NODE.serial))


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_found_and_repaired(table: CatalogTable, machines: TableMachines, name: str) -> None:
    """Nothing that was refused before is allowed after it, and every machine can be changed again."""
    assert [] == table.fsck()
    kind, harm = DAMAGE[name]
    harm(table)
    before = [allowed(machines, named) for named in SHOWN]
    found = table.fsck()
    assert {(kind, False)} <= {(one.kind, one.repaired) for one in found}
    assert found == table.fsck()
    assert {True} == {one.repaired for one in table.fsck(repair=True)}
    assert [] == table.fsck()
    after = [allowed(machines, named) for named in SHOWN]
    assert not any(is_allowed and not was for was, is_allowed in zip(before, after, strict=True))
    assert [False] * 3 == after[:3]
    for state in machines.all():
        machines.write(state, state._replace(failed="changed"))
        machines.delete(state._replace(revision=_read(machines, state).revision))
    assert [] == list(machines.all())


def _read(machines: TableMachines, state: MachineState) -> MachineState:
    found = machines.read(state.identities.keys[0])
    assert found is not None
    return found


def test_a_record_that_changes_meanwhile_is_left_alone(table: CatalogTable, machines: TableMachines) -> None:
    """A machine is approved between the check and its repair."""
    delete(table, UUID)
    check = table.client.transact_get_items

    def read_then_change(**request: object) -> object:
        found = check(**request)  # type: ignore[arg-type]
        put(table, MAC, held(INSTALLED, NOW), "8")
        return found

    table.client.transact_get_items = read_then_change  # type: ignore[method-assign, assignment]
    assert {False} == {one.repaired for one in table.fsck(repair=True)}
    table.client.transact_get_items = check  # type: ignore[method-assign]
    assert _read(machines, INSTALLED).held == NOW
    assert {True} == {one.repaired for one in table.fsck(repair=True)}
    assert _read(machines, INSTALLED).held == NOW


KEYS: dict[str, tuple[Kind, Callable[[CatalogTable], None]]] = {
    "none": (Kind.MISSING, lambda t: delete(t, TOKEN_KEYS)),
    "not base64": (Kind.UNREADABLE, lambda t: change(t, TOKEN_KEYS, k1700000000="%")),
    "a number": (Kind.UNREADABLE, lambda t: change(t, TOKEN_KEYS, k1700000000=5)),
    "too short": (Kind.UNREADABLE, lambda t: change(t, TOKEN_KEYS, k1700000000="eA==")),
    "no newest": (Kind.UNREADABLE, lambda t: change(t, TOKEN_KEYS, newest=None)),
    "nothing else": (
        Kind.UNREADABLE,
        lambda t: t.client.put_item(TableName=t.name, Item=encode_item({"pk": TOKEN_KEYS})) and None,
    ),
}


@pytest.mark.parametrize("name", KEYS)
def test_keys_of_tokens_are_made_anew(table: CatalogTable, machines: TableMachines, name: str) -> None:
    kind, harm = KEYS[name]
    harm(table)
    if name in ("not base64", "a number", "too short"):
        with pytest.raises(StoreUnavailableError, match="see `matchboxctl fsck`"):
            machines.keys()
    assert [(kind, False)] == [(one.kind, one.repaired) for one in table.fsck()]
    assert [(kind, True)] == [(one.kind, one.repaired) for one in table.fsck(repair=True)]
    assert [] == table.fsck()
    assert [32] == [len(key) for key in machines.keys().values()]


def test_without_a_group_that_needs_them_no_key_is_missed(table: CatalogTable) -> None:
    table.fill(Group("g", profile="p", boot=Policy(once=True)))
    item = table.client.get_item(TableName=table.name, Key={"pk": {"S": TOKEN_KEYS}}).get("Item")
    assert None is (item and decode_item(item))
    assert not [one for one in table.fsck() if one.kind.is_damage]
