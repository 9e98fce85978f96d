"""States of machines and keys of tokens, in every store."""

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lambda_matchbox.aws.machines import TableMachines
from lambda_matchbox.machines.identities import Identities
from lambda_matchbox.machines.state import MachineState, approved, held, next_delivery
from lambda_matchbox.machines.stores import ChangedError, EditableMachineStore
from matchboxctl.directory.machine_states import DirectoryMachines
from tests.contract.conftest import ON_DYNAMODB, MakeTable
from tests.rigs.catalog_table import ENOUGH

NODE = Identities("52:54:00:12:34:56", "4c4c4544-0038-4410-8052-b3c04f4b5931", "50%_x")
OTHER = Identities("52:54:00:00:00:01", "", "50_x")


@pytest.fixture(params=["directory", *ON_DYNAMODB])
def store(request: pytest.FixtureRequest, made: MakeTable, tmp_path: Path) -> Iterator[EditableMachineStore]:
    if request.param == "directory":
        with closing(DirectoryMachines(tmp_path)) as machines:
            yield machines
        return
    with closing(made(request.getfixturevalue(request.param))) as table:
        yield TableMachines(table.dynamodb(), table.name, call_timeout=ENOUGH)


def read(store: EditableMachineStore, identity: str = NODE.keys[0]) -> MachineState:
    found = store.read(identity)
    assert found is not None
    return found


def test_a_state_is_read_under_each_identity(store: EditableMachineStore) -> None:
    assert store.read(NODE.keys[0]) is None
    state = MachineState(NODE, 1, 2, 3, "b", next_delivery(None, "10.0.0.5", 5), 6, "no disk")
    store.write(None, state)
    found = [read(store, identity) for identity in NODE.keys]
    assert found[0]._replace(revision="") == state
    assert len(set(found)) == 1


def test_a_state_that_has_changed_is_not_overwritten(store: EditableMachineStore) -> None:
    store.write(None, MachineState(NODE))
    before = read(store)
    store.write(before, approved(before, 1))
    for stale in (None, before):
        with pytest.raises(ChangedError):
            store.write(stale, held(before, 2))
    assert (read(store).approved, read(store).held) == (1, 0)


def test_an_identity_of_another_machine_is_not_taken(store: EditableMachineStore) -> None:
    store.write(None, MachineState(NODE))
    store.write(None, MachineState(OTHER))
    before = read(store, OTHER.keys[0])
    with pytest.raises(ChangedError):
        store.write(before, before._replace(identities=OTHER._replace(uuid=NODE.uuid)))
    assert read(store, NODE.keys[1]).identities == NODE


def test_an_identity_is_added(store: EditableMachineStore) -> None:
    store.write(None, MachineState(NODE._replace(uuid="")))
    before = read(store)
    store.write(before, before._replace(identities=NODE))
    assert read(store, NODE.keys[1]).identities == NODE
    assert read(store, NODE.keys[2]) == read(store)


def test_machines_are_found_by_a_beginning(store: EditableMachineStore) -> None:
    store.write(None, MachineState(NODE))
    store.write(None, MachineState(OTHER))
    assert [one.identities for one in store.find("mac:52:54:00:1")] == [NODE]
    assert {one.identities for one in store.find("mac:52")} == {NODE, OTHER}
    assert [one.identities for one in store.find("serial:50%")] == [NODE]
    assert {one.identities for one in store.all()} == {NODE, OTHER}
    assert store.find("uuid:f") == store.find("serial:50_X") == []


def test_a_deleted_machine_is_gone(store: EditableMachineStore) -> None:
    store.write(None, MachineState(NODE))
    before = read(store)
    store.delete(before)
    assert [store.read(identity) for identity in NODE.keys] == [None, None, None]
    for write in (lambda: store.delete(before), lambda: store.write(before, approved(before, 1))):
        with pytest.raises(ChangedError):
            write()


def test_one_of_many_writers_is_the_first(store: EditableMachineStore) -> None:
    won: list[int] = []

    def write(number: int) -> None:
        try:
            store.write(None, MachineState(NODE, approved=number))
        except ChangedError:
            return
        won.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [read(store).approved] == won
