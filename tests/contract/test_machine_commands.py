"""`matchboxctl machine`, over a data directory and over table and bucket."""

import json
import time
from typing import Any

import pytest
import yaml

from lambda_matchbox.machines.identities import Identities
from lambda_matchbox.machines.state import Delivery, MachineState
from lambda_matchbox.machines.stores import ChangedError
from matchboxctl.directory.machine_states import FILE, DirectoryMachines
from tests.contract.machine_commands import HYPHENS, MAC, OTHER, POLICY, TIME, UUID, described, fill, opened, put, write
from tests.support.resource_commands import ResourceCommands


@pytest.fixture
def filled(commands: ResourceCommands) -> ResourceCommands:
    return fill(commands)


def test_each_verb_says_from_what_to_what(filled: ResourceCommands) -> None:
    def said(*arguments: str) -> str:
        line = filled.ok("machine", *arguments, MAC)
        assert line.startswith(f"{MAC}: ")
        return TIME.sub("TIME", line.removeprefix(f"{MAC}: "))

    assert "waiting -> ready, approved for group workers\n" == said("approve")
    assert "ready, as before\n" == said("approve")
    assert "ready -> held\n" == said("hold")
    assert "held, as before\n" == said("hold")
    assert "held -> ready\n" == said("unhold")
    assert "still ready, armed until TIME\n" == said("arm", "--for", "30m")
    assert "ready, as before; with --state it is forgotten and installs again\n" == said("forget").removeprefix(
        "its history is deleted; "
    )
    assert "ready -> waiting; it installs again at its next network boot, once it is approved\n" == said(
        "forget", "--state"
    )
    assert "waiting, as before: nobody acted on it\n" == said("forget", "--state")


def test_no_boot_id_comes_back(filled: ResourceCommands) -> None:
    """Tokens from before a machine was forgotten stay ended."""
    found = {""}
    for _ in range(2):
        filled.ok("machine", "approve", MAC)
        with opened() as stores:
            [state] = stores.machines.all()
        found.add(state.boot)
        filled.ok("machine", "forget", "--state", MAC)
    assert len(found) == 3


def test_installed_machine_is_armed_and_forgotten(filled: ResourceCommands) -> None:
    write(MachineState(Identities(MAC), approved=1, delivery=Delivery(5, "10.0.0.5", "b", 6), installed=5))
    assert filled.ok("machine", "arm", MAC).startswith(f"{MAC}: installed -> ready, armed until 20")
    now = described(filled, MAC)
    assert (True, "allow") == (now["armed_until"] is not None, now["now"]["verdict"])
    assert {"time": "1970-01-01T00:00:05Z", "address": "10.0.0.5"} == now["delivered"]


@pytest.mark.parametrize(
    "text", [MAC, MAC.upper(), HYPHENS, "5254.0012.3456", UUID, UUID.upper(), "SN-7", "52:54", "4c4"]
)
def test_machine_is_named_by_any_identity_or_its_beginning(filled: ResourceCommands, text: str) -> None:
    write(MachineState(Identities(MAC, UUID, "SN-7"), approved=1))
    others = "" if len(text) > len("52:54") or text == "SN-7" else f" ({UUID}, SN-7)"
    assert f"{MAC}{others}: ready -> held\n" == filled.ok("machine", "hold", text)


def test_whole_identity_is_no_beginning_of_another(filled: ResourceCommands) -> None:
    write(MachineState(Identities(serial="SN-7"), approved=1), MachineState(Identities(serial="SN-70"), approved=1))
    assert filled.ok("machine", "hold", "SN-7").startswith("SN-7: ready -> held")
    assert ["held", "ready"] == [described(filled, one)["state"] for one in ("SN-7", "SN-70")]


def test_approval_is_for_the_group_that_is_named(filled: ResourceCommands) -> None:
    """By default it is for the one that the machine's identities select."""
    put(filled, "group", {"id": "masters", "profile": "p", "selector": {"role": "master"}, "boot": {"approve": True}})
    other = "52:54:00:12:34:98"

    def states() -> list[str]:
        return [described(filled, *one)["state"] for one in ((MAC,), (other, "--label", "role=master"))]

    assert f"{MAC}: waiting -> ready, approved for group workers\n" == filled.ok("machine", "approve", MAC)
    filled.ok("machine", "approve", other, "--group", "workers")
    assert ["ready", "waiting"] == states()
    again = filled.ok("machine", "approve", other, MAC, "--group", "masters")
    assert [f"{one}: waiting -> ready, approved for group masters" for one in (other, MAC)] == again.splitlines()
    assert ["waiting", "ready"] == states()
    assert "for group masters" in filled.ok("machine", "describe", other)
    assert "masters" == described(filled, other)["approved_for"]
    wrong = filled.run("machine", "approve", "--group", "master", MAC)
    assert (2, "") == wrong[:2]
    assert "there is no group 'master'; did you mean 'masters'?" in wrong.err


def test_bad_name_changes_no_machine(filled: ResourceCommands) -> None:
    write(MachineState(Identities(MAC), approved=1), MachineState(Identities(OTHER), approved=1))
    several = filled.run("machine", "hold", MAC, "52-54")
    assert (2, "") == several[:2]
    assert f"'52-54' begins several machines' identities ({MAC}, {OTHER}): give more of it" in several.err
    typed = filled.run("machine", "hold", MAC, "52-54-00-12-43")
    assert (2, "") == typed[:2]
    assert "no machine that is known begins with '52-54-00-12-43': give the whole address or UUID" in typed.err
    placeholder = filled.run("machine", "hold", MAC, "To be filled by O.E.M.")
    assert (2, True) == (placeholder.code, "use a MAC address, a UUID or a serial number" in placeholder.err)
    assert "ready" == described(filled, MAC)["state"]


def test_several_machines_at_once(filled: ResourceCommands) -> None:
    lines = filled.ok("machine", "approve", HYPHENS, OTHER, "SN-7", MAC).splitlines()
    anything = "approved for whatever group selects it (its identities alone select"
    assert [
        f"{MAC}: waiting -> ready, approved for group workers",
        f"{OTHER}: still ready, {anything} group plain, which has no boot policy)",
        f"SN-7: unknown -> ready, {anything} no group)",
    ] == lines


@pytest.mark.parametrize("output", ["json", "yaml"])
def test_documents(filled: ResourceCommands, output: str) -> None:
    def read(*arguments: str) -> Any:
        return yaml.safe_load(filled.run("machine", *arguments, "-o", output).out)

    (row,) = read("approve", MAC)
    assert TIME.fullmatch(row.pop("approved"))
    never = dict.fromkeys(("uuid", "serial", "held", "armed_until", "delivered", "installed", "failed"))
    named = {"id": MAC, "mac": MAC, "group": "workers", "profile": "p"}
    assert {**named, **never, "state": "ready", "approved_for": "workers"} == row
    assert [None, "held"] == [read("hold", MAC)[0][name] for name in ("armed_until", "state")]
    before = int(time.time())
    until = read("arm", MAC, "--for", "2h")[0]["armed_until"]
    assert time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(before + 7199)) <= until
    assert until <= time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 7201))
    whole = read("describe", MAC)
    assert ({"verdict": "refuse", "reason": "it is held"}, POLICY) == (whole["now"], whole["policy"])
    assert ["held", "waiting"] == [read("forget", *flags, MAC)[0]["state"] for flags in ([], ["--state"])]


@pytest.mark.parametrize("text", ["0m", "30", "m", "-5m", "1w", "1.5h", "1234567s", ""])
def test_time_is_a_number_and_a_unit(filled: ResourceCommands, text: str) -> None:
    ended = filled.run("machine", "arm", MAC, f"--for={text}")
    assert (2, "", True) == (ended.code, ended.out, "use a number and s, m, h or d, such as 30m" in ended.err)


def test_misspelt_verb_is_corrected(filled: ResourceCommands) -> None:
    ended = filled.run("machine", "approv", MAC)
    assert (2, True) == (ended.code, "Did you mean 'approve'?" in ended.err)


def test_interruption_names_what_is_done(filled: ResourceCommands, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first machine's change stays, and is in the document."""
    with opened() as stores:
        kind = type(stores.machines)
    write_state = kind.write

    def write_one(store: Any, before: MachineState | None, after: MachineState) -> None:
        if after.identities.mac != MAC:
            raise KeyboardInterrupt
        write_state(store, before, after)

    monkeypatch.setattr(kind, "write", write_one)
    for output, expected in (("table", f"{MAC}: waiting -> ready, "), ("json", f'"id": "{MAC}"')):
        ended = filled.run("machine", "approve", MAC, OTHER, "-o", output)
        assert (130, True) == (ended.code, expected in ended.out)
        left, interrupted = ended.err.splitlines()
        assert "matchboxctl: 1 of 2 machines are done; the same command does all of them" == left
        assert "matchboxctl: interrupted" == interrupted
        expected = f'"id": "{MAC}"'
    assert [True, False] == [described(filled, one)["approved"] is not None for one in (MAC, OTHER)]


def test_state_that_keeps_changing(filled: ResourceCommands, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened() as stores:
        kind = type(stores.machines)

    def changed(*_: object) -> None:
        raise ChangedError

    monkeypatch.setattr(kind, "write", changed)
    ended = filled.run("machine", "approve", HYPHENS)
    assert (1, f"matchboxctl: {HYPHENS}: its state keeps changing; run the same command again\n") == (
        ended.code,
        ended.err,
    )


def test_group_in_which_anybody_may_write_states_is_noted(filled: ResourceCommands) -> None:
    for boot, noted in (({"once": True}, True), ({"once": True, "from": ["10.0.0.0/8"]}, False)):
        document = json.dumps({"id": "open", "profile": "p", "selector": {"rack": "7"}, "boot": boot})
        created = filled.run("group", "create", "-f", filled.file("open", document))
        assert (0, noted) == (created.code, "whoever makes up identities leaves a state" in created.err)


def test_machine_of_a_group_that_cannot_be_read_is_held_but_not_approved(filled: ResourceCommands) -> None:
    if filled.data is None:
        pytest.skip("a table has no such group")
    (filled.data / "groups" / "workers.json").write_text(json.dumps({"selector": {"mac": MAC}, "boot": {"onse": True}}))
    refused = filled.run("machine", "approve", MAC)
    assert (1, "", True) == (refused.code, refused.out, "boot.onse: unknown" in refused.err)
    held = filled.ok("machine", "hold", MAC)
    assert held.startswith(f"{MAC}: unknown -> held (group 'workers': line 1: boot.onse: unknown")


def test_state_file_that_is_gone(filled: ResourceCommands) -> None:
    if filled.data is None:
        pytest.skip("a table has no file")
    filled.ok("machine", "approve", MAC)
    DirectoryMachines(filled.data).close()
    for file in filled.data.glob(f"{FILE}*"):
        file.unlink()
    for verb in ("describe", "approve", "forget"):
        ended = filled.run("machine", verb, MAC)
        assert (1, "") == (ended.code, ended.out)
        assert "state.sqlite is gone, and machines would install again: restore it, or remove" in ended.err
