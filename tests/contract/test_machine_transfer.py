"""`import --machines` and `export --machines`: states between a data directory and a table."""

import json
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lambda_matchbox.aws.catalog.table_contents import scan_table
from lambda_matchbox.aws.keys import machine_key
from lambda_matchbox.aws.machines import TableMachines
from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.machines.identities import Identities
from lambda_matchbox.machines.state import MachineState, armed, held, next_delivery
from lambda_matchbox.machines.stores import EditableMachineStore
from matchboxctl.directory.machine_states import DirectoryMachines
from matchboxctl.directory.state_file import FILE
from matchboxctl.machines.opened_stores import table_machines
from matchboxctl.store.mode import StoreSettings, chosen_store
from tests.contract.conftest import Run
from tests.rigs.stores import Stores

NODE = Identities("52:54:00:12:34:56", "4c4c4544-0038-4410-8052-b3c04f4b5931", "S/1 ü")
OTHER = Identities("52:54:00:00:00:01")
INSTALLED = MachineState(NODE, 1, 0, 0, "b", next_delivery(None, "10.0.0.5", 5), 6, "no disk")


@pytest.fixture
def table(stores: Stores, run: Run) -> TableMachines:
    assert stores
    assert run
    store = chosen_store("")
    assert isinstance(store, StoreSettings)
    return table_machines(store)


@pytest.fixture
def here(data: Path) -> Iterator[DirectoryMachines]:
    """The states of the directory, one of whose groups needs tokens."""
    (data / "groups/g.json").write_text('{"profile": "p", "boot": {"token": true, "once": true}}')
    with closing(DirectoryMachines(data)) as machines:
        yield machines


def known(store: EditableMachineStore) -> dict[str, MachineState]:
    return {state.id.partition(":")[2]: state for state in store.all()}


def set_state(store: EditableMachineStore, state: MachineState) -> None:
    store.write(store.read(state.id), state._replace(revision=""))


def test_states_are_carried_there_and_back(
    data: Path, here: DirectoryMachines, table: TableMachines, run: Run, tmp_path: Path
) -> None:
    """Not the keys of tokens; a second run changes nothing."""
    set_state(here, INSTALLED)
    set_state(here, held(MachineState(OTHER), 7))
    own_keys = here.keys()
    assert 0 == run("import", data, "--machines")
    assert known(here) == known(table)
    assert all(table.read(identity) == here.read(identity) for identity in NODE.keys)
    assert own_keys != table.keys()
    for _ in range(2):
        assert 0 == run("export", tmp_path / "out", "--machines")
        with closing(DirectoryMachines(tmp_path / "out")) as out:
            assert known(out) == known(table)
    assert 0o600 == stat.S_IMODE((tmp_path / "out" / FILE).stat().st_mode)
    with closing(DirectoryMachines(tmp_path / "out")) as out:
        assert own_keys != out.keys()
        assert table.keys() != out.keys()


def test_the_newer_state_stays(
    data: Path, here: DirectoryMachines, table: TableMachines, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    for state in (INSTALLED, MachineState(OTHER)):
        set_state(here, state)
    assert 0 == run("import", data, "--machines")
    set_state(table, held(INSTALLED, 9))
    set_state(here, MachineState(OTHER, approved=8))
    capsys.readouterr()
    for _ in range(2):
        assert 0 == run("import", data, "--machines", "-o", "json")
        output = capsys.readouterr()
        assert "note: 1 machine changed later there, and left so: 52:54:00:12:34:56" in output.err.splitlines()
    assert [] == json.loads(output.out)["changed"]
    assert (9, 8) == (known(table)[NODE.mac].held, known(table)[OTHER.mac].approved)
    assert 0 == run("export", data, "--machines", "-o", "json")
    assert ["machine 52:54:00:12:34:56"] == json.loads(capsys.readouterr().out)["changed"]
    assert known(here) == known(table)


def test_an_installation_elsewhere_is_not_undone(
    data: Path, here: DirectoryMachines, table: TableMachines, run: Run
) -> None:
    """The machine was approved in the directory, where nobody knows that it was installed."""
    set_state(table, MachineState(NODE, approved=1, installed=5))
    set_state(here, MachineState(NODE._replace(serial=""), approved=7))
    assert 0 == run("import", data, "--machines")
    found = table.read(NODE.keys[2])
    assert found is not None
    assert (found.identities, found.approved, found.installed) == (NODE, 7, 5)
    assert 0 == run("export", data, "--machines")
    assert known(here) == known(table)


def test_another_machines_identity_is_not_taken(
    data: Path, here: DirectoryMachines, table: TableMachines, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """The rest is carried."""
    set_state(table, MachineState(OTHER._replace(uuid=NODE.uuid), installed=5))
    set_state(here, armed(INSTALLED, 9_999_999_999, "a"))
    set_state(here, MachineState(Identities(serial="third")))
    assert 1 == run("import", data, "--machines")
    assert "52:54:00:12:34:56: its identities are another machine's there" in capsys.readouterr().err
    assert {OTHER.mac, "third"} == set(known(table))
    assert INSTALLED.identities == known(here)[NODE.mac].identities


def test_nothing_is_removed_and_a_dry_run_writes_nothing(
    data: Path, here: DirectoryMachines, table: TableMachines, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    set_state(table, MachineState(OTHER))
    set_state(here, INSTALLED)
    before = known(table)
    assert 0 == run("import", data, "--machines", "--dry-run")
    output = capsys.readouterr().out.splitlines()
    assert output[:2] == [
        "+ machine 52:54:00:12:34:56",
        "machines: would be 1 added, 0 changed, 0 removed, 0 unchanged",
    ]
    assert before == known(table)
    assert 0 == run("import", data, "--machines", "--prune")
    assert {OTHER.mac, NODE.mac} == set(known(table))


def test_states_that_stay_are_named(
    data: Path,
    here: DirectoryMachines,
    table: TableMachines,
    run: Run,
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_state(here, INSTALLED)
    assert 0 == run("import", data)
    assert "are not imported; --machines does" in capsys.readouterr().err
    assert {} == known(table)
    set_state(table, INSTALLED)
    assert 0 == run("export", data / "out")
    assert "note: the states of machines are not exported; --machines does" in capsys.readouterr().err
    assert not (data / "out" / FILE).exists()


def test_states_come_before_the_groups_that_need_them(
    data: Path, here: DirectoryMachines, table: TableMachines, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without them installed machines would install again. The same command goes on after a failure."""
    set_state(here, INSTALLED)
    set_state(here, MachineState(OTHER))
    write = TableMachines.write

    def fail_for_one(self: TableMachines, before: MachineState | None, after: MachineState, **more: str) -> None:
        if after.id == OTHER.keys[0]:
            raise StoreUnavailableError("throttled")
        write(self, before, after, **more)

    with monkeypatch.context() as patched:
        patched.setattr(TableMachines, "write", fail_for_one)
        assert 1 == run("import", data, "--machines")
    store = chosen_store("")
    assert isinstance(store, StoreSettings)
    assert {} == scan_table(store.clients()).groups
    assert 0 == run("import", data, "--machines")
    assert known(here) == known(table)


def test_damaged_records_are_named_by_an_export(
    table: TableMachines, run: Run, stores: Stores, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The others are exported."""
    set_state(table, INSTALLED)
    set_state(table, MachineState(OTHER))
    clients = stores.clients()
    key = machine_key(OTHER.keys[0])
    clients.dynamodb.put_item(TableName=clients.table, Item={"pk": {"S": key}, "state": {"S": "x"}})
    assert 1 == run("export", tmp_path / "out", "--machines")
    assert f"the item {key!r} is damaged: see `matchboxctl fsck`" in capsys.readouterr().err
    with closing(DirectoryMachines(tmp_path / "out")) as out:
        assert {NODE.mac} == set(known(out))
