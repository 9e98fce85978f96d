"""What `matchboxctl machine` says of histories, over a data directory and over tables and bucket."""

import json
from pathlib import Path

import pytest
from botocore.session import Session

from lambda_matchbox.machines.identities import Identities
from matchboxctl.cli.errors import FailedError
from matchboxctl.machines import operators
from matchboxctl.machines.opened_stores import opened_stores
from matchboxctl.store.mode import StoreSettings
from tests.contract.machine_commands import opened
from tests.contract.machine_histories import BY_NIGHT, MAC, OTHER, UUID, WAITS, asked, happened, ids, listed
from tests.support.commands import Commands
from tests.support.resource_commands import ResourceCommands


@BY_NIGHT
def test_history_shows_boots(machines: ResourceCommands) -> None:
    happened(
        asked(3000, mac=MAC, uuid=UUID, group="g", profile="p", release="talos/1"),
        asked(2995, "/assets/", path="/assets/k"),
        asked(2990, "/ignition", uuid=UUID, group="g", profile="p"),
        asked(90, mac=MAC, **WAITS),
        asked(60, mac=MAC, **WAITS),
    )
    machines.ok("machine", "approve", MAC)
    first, second = machines.ok("machine", "history", MAC).split("\n\n")
    head, release, *lines = first.splitlines()
    assert (True, "release talos/1") == (head.endswith("Z, group g, profile p"), release)
    assert ["/ipxe 200", "/assets/k 200 (inferred)", "/ignition 200"] == [line[22:] for line in lines]
    head, waits, approved = second.splitlines()
    assert head.startswith("Boot ")
    assert "10.0.0.5  /ipxe 200 wait: it waits for approval (x2 until " in waits
    assert f" approve by {operators.local_operator()}: " in approved
    document = json.loads(machines.ok("machine", "history", UUID, "-o", "json"))
    assert (MAC, UUID) == (document["id"], document["uuid"])
    old, new = document["boots"]
    assert ("talos/1", [False, True, False]) == (old["release"], [event["inferred"] for event in old["events"]])
    assert (None, ["/ipxe", "/ipxe", "approve"]) == (new["release"], [event["what"] for event in new["events"]])
    recent = json.loads(machines.ok("machine", "history", MAC, "--since", "10m", "-o", "json"))["boots"]
    assert [new] == recent
    for machine, why in ((OTHER, "was never seen, and nobody acted on it"), ("SN-9", "was never seen")):
        ended = machines.run("machine", "history", machine)
        assert (4, True) == (ended.code, why in ended.err)


@BY_NIGHT
def test_describe_shows_what_the_history_knows(machines: ResourceCommands) -> None:
    happened(*(asked(60 - at, mac=MAC, uuid=UUID, release="r", status=200 + at) for at in range(7)))
    text = machines.ok("machine", "describe", UUID)
    assert f"MAC address:    {MAC}\n" in text
    assert "Release:        r\n" in text
    document = json.loads(machines.ok("machine", "describe", MAC, "-o", "json"))
    assert ("10.0.0.5", "r", None) == (document["address"], document["release"], document["hostname"])
    assert [202, 203, 204, 205, 206] == [event["status"] for event in document["events"]]


@BY_NIGHT
def test_serial_number_that_looks_like_an_address_is_none(machines: ResourceCommands) -> None:
    """No machine can have another one approved."""
    happened(asked(9, serial="5254.0012.3456", **WAITS))
    approved = machines.run("machine", "approve", "--group", "workers", "--all")
    assert approved.out.startswith("5254.0012.3456: waiting -> ready")
    assert "5254.0012.3456: ready -> held" in machines.ok("machine", "hold", "5254.0012.345")
    with opened() as stores:
        assert [Identities(serial="5254.0012.3456")] == [state.identities for state in stores.machines.all()]


@BY_NIGHT
def test_commands_are_events(machines: ResourceCommands) -> None:
    """A machine that never asked is listed too."""
    for verb in ("approve", "hold", "unhold", "arm"):
        machines.ok("machine", verb, MAC)
    (row,) = listed(machines)
    assert (MAC, "ready", None, None) == tuple(row[name] for name in ("id", "state", "first_seen", "address"))
    (boot,) = json.loads(machines.ok("machine", "history", MAC, "-o", "json"))["boots"]
    assert ["approve", "hold", "unhold", "arm"] == [event["what"] for event in boot["events"]]
    assert {("command", operators.local_operator())} == {(event["kind"], event["by"]) for event in boot["events"]}
    assert "ready -> held" in boot["events"][1]["reason"]


@pytest.mark.parametrize("commands", ["moto"], indirect=True)
def test_operator_of_a_table_is_an_arn(machines: ResourceCommands, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user's name where AWS does not say it."""
    for endpoint in (machines.environment["AWS_ENDPOINT_URL_DYNAMODB"], "http://127.0.0.1:1"):
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", endpoint)
        machines.ok("machine", "hold", MAC)
    (boot,) = json.loads(machines.ok("machine", "history", MAC, "-o", "json"))["boots"]
    first, second = (event["by"] for event in boot["events"])
    assert (True, operators.local_operator()) == (first.startswith("arn:aws:sts::"), second)


@BY_NIGHT
def test_forget_deletes_the_history(machines: ResourceCommands) -> None:
    happened(asked(9, mac=MAC, uuid=UUID, **WAITS))
    machines.ok("machine", "approve", MAC)
    assert f"{MAC}: its history is deleted; ready, as before; with --state" in machines.ok("machine", "forget", MAC)
    assert [] == ids(machines)
    ended = machines.run("machine", "history", MAC)
    assert (4, "matchboxctl: nothing of 52:54:00:12:34:56 is recorded\n") == (ended.code, ended.err)
    assert 4 == machines.run("machine", "history", UUID).code


@BY_NIGHT
@pytest.mark.parametrize("name", [OTHER, UUID])
def test_stranger_that_nobody_acted_on_is_forgotten(machines: ResourceCommands, name: str) -> None:
    happened(asked(9, mac=OTHER, uuid=UUID, status=404))
    for flags in ([], ["--state"]):
        line = machines.ok("machine", "forget", *flags, name).partition(": ")[2]
        assert f"{'' if flags else 'its history is deleted; '}unknown, as before: nobody acted on it\n" == line
        assert [] == ids(machines)


@pytest.mark.parametrize("commands", ["directory"], indirect=True)
def test_machine_of_a_group_with_a_wrong_policy_is_forgotten(machines: ResourceCommands) -> None:
    happened(asked(9, mac=MAC, **WAITS))
    assert machines.data is not None
    (machines.data / "groups" / "wrong.json").write_text(
        f'{{"selector": {{"mac": "{MAC}"}}, "boot": {{"onse": true}}}}'
    )
    line = machines.ok("machine", "forget", MAC)
    assert line.startswith(f"{MAC}: its history is deleted; ")
    assert "group 'wrong': line 1: boot.onse: unknown" in line
    assert [] == ids(machines)


@BY_NIGHT
def test_beginnings_are_those_of_seen_machines_too(machines: ResourceCommands) -> None:
    happened(asked(9, mac=MAC, uuid=UUID, serial="SN-7"), asked(8, mac=OTHER))
    assert f"{UUID}: " in machines.ok("machine", "hold", "4c4c")
    assert "SN-7: " in machines.ok("machine", "hold", "SN-7")
    assert f"{OTHER}: " in machines.ok("machine", "hold", "52-54-00-12-34-57")
    several = machines.run("machine", "hold", "52-54-00-12")
    assert (2, True) == (several.code, f"begins several machines' identities ({MAC}, {OTHER})" in several.err)


@BY_NIGHT
def test_commands_go_on_without_a_history(machines: ResourceCommands, monkeypatch: pytest.MonkeyPatch) -> None:
    if machines.data is None:
        monkeypatch.setenv("MATCHBOX_HISTORY_TABLE", "absent")
    else:
        (machines.data / "history.sqlite").mkdir()
    ended = machines.run("machine", "approve", MAC, OTHER)
    assert (0, 2) == (ended.code, len(ended.out.splitlines()))
    (warning,) = ended.err.splitlines()
    assert warning.startswith("matchboxctl: warning: the history is left out: ")
    described = machines.run("machine", "describe", MAC)
    assert (0, 1) == (described.code, len(described.err.splitlines()))
    for verb in (["list"], ["history", MAC], ["forget", MAC]):
        ended = machines.run("machine", *verb)
        assert (1, "", True) == (ended.code, ended.out, "history" in ended.err)


@pytest.mark.parametrize("commands", ["directory"], indirect=True)
def test_histories_need_no_groups(machines: ResourceCommands) -> None:
    """Which take long to read where they are many, and may be damaged just now."""
    happened(asked(9, mac=MAC, **WAITS))
    assert machines.data is not None
    for file in (machines.data / "groups").iterdir():
        file.unlink()
    (machines.data / "groups").rmdir()
    (machines.data / "groups").write_text("")
    assert "wait: it waits" in machines.ok("machine", "history", MAC)
    assert [MAC] == ids(machines, "--limit", "1")
    assert 2 == machines.run("machine", "describe", MAC).code


def test_no_history_is_kept(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_command = Commands(capsysbinary)
    monkeypatch.setenv("MATCHBOX_DATA_PATH", str(tmp_path))
    monkeypatch.setenv("MATCHBOX_HISTORY_DAYS", "0")
    assert (0, "") == run_command("machine", "hold", MAC)[::2]
    assert not (tmp_path / "history.sqlite").exists()
    for verb in (["list"], ["watch"], ["history", MAC], ["approve", "--group", "g", "--all"]):
        if verb[0] == "approve":
            (tmp_path / "groups").mkdir()
            (tmp_path / "groups/g.json").write_text('{"profile": "p"}')
        assert (1, "", "matchboxctl: there is no history: MATCHBOX_HISTORY_DAYS is 0\n") == run_command(
            "machine", *verb
        )
    monkeypatch.setenv("MATCHBOX_HISTORY_DAYS", "x")
    assert 2 == run_command("machine", "list").code


def test_stack_of_an_older_release_has_none() -> None:
    store = StoreSettings("t", "b", "eu-west-1", "http://127.0.0.1:1", "http://127.0.0.1:1", Session(), "mine")
    for settings, why in (
        (store, "stack mine has no output HistoryTableName: update"),
        (store._replace(stack=""), "set"),
    ):
        with opened_stores(settings) as stores, pytest.raises(FailedError, match=why), stores.history.required():
            pass
