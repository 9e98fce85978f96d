"""What `matchboxctl machine` says of histories, over a data directory and over tables and bucket."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from boto3.session import Session

from lambda_matchbox.aws.table_and_bucket import create_history_table
from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.machines.events import Event, event_in
from lambda_matchbox.machines.identities import Identities
from lambda_matchbox.machines.state import MachineState
from matchboxctl.cli.errors import FailedError
from matchboxctl.machines import group_approval, operators, watch
from matchboxctl.machines.opened_stores import opened_stores
from matchboxctl.store.mode import StoreSettings, chosen_store
from tests.contract.machine_commands import opened, put, write
from tests.support.commands import Commands
from tests.support.resource_commands import ResourceCommands

MAC, OTHER, THIRD = "52:54:00:12:34:56", "52:54:00:12:34:57", "aa:bb:cc:00:00:01"
UUID = "4c4c4544-0038-4410-8052-b3c04f4b5931"
WAITS = {"group": "workers", "profile": "p", "verdict": "wait", "state": "waiting", "reason": "it waits for approval"}
NOW = time.time_ns() // 1_000_000
BY_NIGHT = pytest.mark.parametrize(
    "commands",
    [
        "directory",
        pytest.param("moto", marks=pytest.mark.nightly),
        pytest.param("real", marks=[pytest.mark.real, pytest.mark.nightly]),
    ],
    indirect=True,
)


@pytest.fixture
def machines(commands: ResourceCommands, monkeypatch: pytest.MonkeyPatch) -> ResourceCommands:
    """A group whose machines wait, and a place for histories."""
    if commands.data is None:
        store = chosen_store("")
        assert isinstance(store, StoreSettings)
        create_history_table(store.dynamodb(), f"{store.table}-history")
        monkeypatch.setenv("MATCHBOX_HISTORY_TABLE", f"{store.table}-history")
    commands.ok("generic", "create", "-f", commands.file("t", "text"))
    put(commands, "profile", {"id": "p", "boot": {"kernel": "/assets/k"}, "generic_id": "t"})
    put(commands, "group", {"id": "workers", "profile": "p", "selector": {"rack": "7"}, "boot": {"approve": True}})
    return commands


def asked(seconds: float, route: str = "/ipxe", **fields: object) -> Event:
    """A request so many seconds ago."""
    line = {"route": route, "method": "GET", "status": 200, "client": "10.0.0.5", "user_agent": "iPXE", **fields}
    found = event_in(line, NOW - int(seconds * 1000))
    assert found is not None
    return found


def happened(*events: Event) -> None:
    with opened() as stores, stores.history.required() as history:
        history.add(events)


def listed(commands: ResourceCommands, *arguments: str) -> list[dict[str, Any]]:
    ended = commands.run("machine", "list", *arguments, "-o", "json")
    assert 0 == ended.code
    found: list[dict[str, Any]] = json.loads(ended.out)
    return found


def ids(commands: ResourceCommands, *arguments: str) -> list[str]:
    return [row["id"] for row in listed(commands, *arguments)]


@BY_NIGHT
def test_rows_have_what_is_known(machines: ResourceCommands) -> None:
    happened(
        asked(90, mac=MAC, uuid=UUID, serial="SN-7", hostname="node1", arch="x86_64", group="g", release="r"),
        asked(30, mac=MAC, **WAITS),
        asked(60, mac=OTHER, status=404),
    )
    first, second = listed(machines)
    event = first.pop("last_event")
    assert ("request", "/ipxe", 200, "wait", None, False) == tuple(
        event[name] for name in ("kind", "what", "status", "verdict", "by", "inferred")
    )
    assert event["time"].startswith(first["last_seen"].removesuffix("Z"))
    assert first.pop("first_seen") < first.pop("last_seen")
    assert {
        "id": MAC,
        "mac": MAC,
        "uuid": UUID,
        "serial": "SN-7",
        "hostname": "node1",
        "arch": "x86_64",
        "state": "waiting",
        "group": "workers",
        "profile": "p",
        "release": "r",
        "address": "10.0.0.5",
    } == first
    assert (OTHER, "unknown", None, None, None) == tuple(
        second[name] for name in ("id", "state", "group", "uuid", "release")
    )
    lines = machines.ok("machine", "list").splitlines()
    assert ["ID", "STATE", "GROUP", "ADDRESS", "SEEN", "LAST", "EVENT"] == lines[0].split()
    assert [MAC, "waiting", "workers", "10.0.0.5"] == lines[1].split()[:4]
    assert UUID in machines.ok("machine", "list", "-o", "wide")


@BY_NIGHT
def test_lists_are_filtered_and_have_pages(machines: ResourceCommands) -> None:
    happened(
        asked(9, mac=MAC, **WAITS),
        asked(8, mac=OTHER, status=404),
        asked(7200, mac=THIRD, **WAITS),
    )
    assert [OTHER, MAC, THIRD] == ids(machines)
    assert [MAC, THIRD] == ids(machines, "--state", "waiting") == ids(machines, "--group", "workers")
    assert [OTHER] == ids(machines, "--group", "")
    assert [OTHER, MAC] == ids(machines, "--since", "1h")
    assert [MAC] == ids(machines, "--since", "1h", "--group", "workers", "--state", "waiting")
    page = machines.run("machine", "list", "--limit", "2", "-o", "json", "--page")
    document = json.loads(page.out)
    assert [OTHER, MAC] == [row["id"] for row in document["machines"]]
    assert f"note: there are more: --cursor {document['cursor']}\n" == page.err
    rest = yaml.safe_load(machines.ok("machine", "list", "--cursor", document["cursor"], "-o", "yaml", "--page"))
    assert ([THIRD], None) == ([row["id"] for row in rest["machines"]], rest["cursor"])
    for arguments, why in {
        ("--cursor", "x"): "'x' is no cursor of a page: use one that a list has printed",
        ("--page",): "--page needs -o json or -o yaml",
        ("--state", "wating"): "did you mean 'waiting'?",
        ("--since", "1w"): "use a number and s, m, h or d",
    }.items():
        ended = machines.run("machine", "list", *arguments)
        assert (2, "", True) == (ended.code, ended.out, why in ended.err)
    wrong = machines.run("machine", "list", "--group", "worker")
    assert (0, "note: there is no group 'worker'; did you mean 'workers'?\n") == (wrong.code, wrong.err)


def test_state_is_that_of_this_moment(machines: ResourceCommands) -> None:
    """Also if no event said so: a history may be lost."""
    happened(asked(9, mac=MAC, uuid=UUID, **WAITS), asked(8, mac=OTHER, **WAITS))
    write(MachineState(Identities(uuid=UUID), approved=1))
    assert [(OTHER, "waiting"), (MAC, "ready")] == [(row["id"], row["state"]) for row in listed(machines)]
    ended = machines.run("machine", "list", "--state", "waiting", "-o", "json")
    assert [OTHER] == [row["id"] for row in json.loads(ended.out)]
    assert "note: 1 machine left out: no longer waiting since the last event\n" == ended.err
    for machine, state in ((MAC, "ready"), (OTHER, "waiting")):
        described = json.loads(machines.ok("machine", "describe", machine, "-o", "json"))
        assert ("workers", state) == (described["group"], described["state"])


@BY_NIGHT
def test_list_of_nothing_says_so(machines: ResourceCommands) -> None:
    ended = machines.run("machine", "list")
    assert (0, "note: no machine was seen yet: each one that asks this server is listed\n") == (ended.code, ended.err)
    assert "[]\n" == machines.run("machine", "list", "-o", "json").out


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
    head, *lines = first.splitlines()
    assert head.endswith("Z, group g, profile p, release talos/1")
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
def test_accepted_machine_has_a_group(machines: ResourceCommands) -> None:
    put(machines, "group", {"id": "default", "profile": "p", "boot": {"approve": True}})
    happened(asked(9, mac=MAC, uuid=UUID, hostname="node1", **WAITS | {"group": "default"}))
    said = machines.ok("machine", "accept", UUID, "--profile", "p", "--metadata", "a=b=c", "--metadata", "d=")
    assert (
        "group 52-54-00-12-34-56 created\n"
        f"  selects mac={MAC}, profile p\n"
        "  it waits, and boots when it asks again, within a minute\n"
        "  default, its group before, has a boot policy; this one has none\n"
    ) == said
    group = json.loads(machines.ok("group", "get", "52-54-00-12-34-56"))
    assert {
        "id": "52-54-00-12-34-56",
        "name": "node1",
        "profile": "p",
        "selector": {"mac": MAC},
        "metadata": {"a": "b=c", "d": ""},
    } == group
    (row,) = listed(machines, "--group", "52-54-00-12-34-56", "--state", "unknown")
    assert (MAC, "p", "accept") == (row["id"], row["profile"], row["last_event"]["what"])
    again = machines.run("machine", "accept", MAC, "--profile", "p", "--group-id", "g")
    assert (1, "", True) == (again.code, again.out, "group 52-54-00-12-34-56 selects this machine already" in again.err)


@BY_NIGHT
def test_group_that_would_not_win_is_not_written(machines: ResourceCommands) -> None:
    """Of groups with as many selectors, the greater ones win: rack=7 is greater than mac=…"""
    happened(asked(9, mac=MAC, **WAITS))
    ended = machines.run("machine", "accept", MAC, "--profile", "p")
    assert (1, "", True) == (
        ended.code,
        ended.out,
        "group workers would still select this machine, by rack" in ended.err,
    )
    put(machines, "group", {"id": "workers", "profile": "p", "selector": {"arch": ["arm64", "x86_64"]}})
    assert "group 52-54-00-12-34-56 created" in machines.ok("machine", "accept", MAC, "--profile", "p")


@BY_NIGHT
@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (("--profile", "q"), 1, "there is no profile 'q'; nothing was written"),
        (("--profile", "p", "--group-id", "workers"), 1, "there is a group 'workers' already"),
        (("--profile", "p", "--group-id", "a/b"), 1, "invalid id 'a/b'"),
        (("--profile", "p", "--metadata", "a"), 2, "invalid --metadata 'a': use KEY=VALUE"),
        ((), 2, "Missing option '--profile'"),
    ],
)
def test_what_cannot_be_accepted(machines: ResourceCommands, arguments: tuple[str, ...], code: int, why: str) -> None:
    ended = machines.run("machine", "accept", UUID, *arguments)
    assert (code, "", True) == (ended.code, ended.out, why in ended.err)
    assert ["workers"] == [group["id"] for group in json.loads(machines.ok("group", "list", "-o", "json"))]


@BY_NIGHT
def test_accepts_a_machine_by_its_uuid(machines: ResourceCommands) -> None:
    """Which has no other identity, or was never seen."""
    assert "never seen: it gets this when it asks" in machines.ok("machine", "accept", UUID, "--profile", "p")
    assert {"uuid": UUID} == json.loads(machines.ok("group", "get", UUID))["selector"]


@BY_NIGHT
def test_all_waiting_machines_of_a_group_are_approved(
    machines: ResourceCommands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_approval, "_PAGE", 2)
    waiting = [f"52:54:00:00:00:{number:02x}" for number in range(5)]
    happened(
        *(asked(9, mac=mac, **WAITS) for mac in waiting),
        asked(8, mac=MAC, **WAITS),
        asked(7, mac=OTHER, status=404),
        asked(7, mac=THIRD, **WAITS | {"group": "others"}),
    )
    write(MachineState(Identities(MAC), held=1))
    ended = machines.run("machine", "approve", "--group", "workers", "--all")
    assert (0, "matchboxctl: 5 machines of group workers approved\n") == (ended.code, ended.err)
    assert sorted(f"{mac}: waiting -> ready, approved for group workers" for mac in waiting) == sorted(
        ended.out.splitlines()
    )
    states = {row["id"]: row["state"] for row in listed(machines)}
    assert {**dict.fromkeys(waiting, "ready"), MAC: "held", OTHER: "unknown", THIRD: "unknown"} == states
    assert sorted(waiting) == sorted(ids(machines, "--state", "ready"))
    none = machines.run("machine", "approve", "--group", "workers", "--all", "-o", "json")
    assert (0, "[]\n", "matchboxctl: 0 machines of group workers approved\n") == none
    for arguments in (["--all"], ["--group", "workers"], [MAC, "--group", "workers", "--all"]):
        ended = machines.run("machine", "approve", *arguments)
        assert (2, True) == (ended.code, "name machines, or use --group GROUP --all" in ended.err)


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
def test_interruption_of_many_approvals_keeps_what_is_done(
    machines: ResourceCommands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_approval, "_PAGE", 2)
    happened(*(asked(9, mac=f"52:54:00:00:00:{number:02x}", **WAITS) for number in range(5)))
    show, shown = group_approval.print_text, []

    def show_three(text: str) -> None:
        show(text)
        shown.append(text)
        if len(shown) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(group_approval, "print_text", show_three)
    ended = machines.run("machine", "approve", "--group", "workers", "--all")
    assert 130 == ended.code
    done = len(shown)
    assert ended.err.startswith(f"matchboxctl: {done} machines of group workers approved\n")
    states = [(row["state"], row["last_event"]["what"]) for row in listed(machines)]
    assert (done, 5 - done) == (states.count(("ready", "approve")), states.count(("waiting", "/ipxe")))


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


@BY_NIGHT
def test_list_goes_on_without_states(machines: ResourceCommands, monkeypatch: pytest.MonkeyPatch) -> None:
    happened(asked(9, mac=MAC, **WAITS))
    with opened() as stores:
        kind = type(stores.machines)

    def unavailable(*_: object) -> None:
        raise StoreUnavailableError("it is away")

    monkeypatch.setattr(kind, "read_all", unavailable)
    ended = machines.run("machine", "list")
    assert (0, True) == (ended.code, f"{MAC}  waiting" in ended.out)
    warning = "matchboxctl: warning: states are those after each machine's last event: it is away\n"
    assert warning == ended.err


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


@BY_NIGHT
@pytest.mark.parametrize("output", ["table", "json"])
def test_watch_shows_each_event_once_in_order(
    machines: ResourceCommands, monkeypatch: pytest.MonkeyPatch, output: str
) -> None:
    at = NOW / 1000 - time.time() - 60
    first, second = asked(at, mac=MAC, **WAITS), asked(at + 1, mac=OTHER, status=404)
    steps = [(first,), (first, second)]

    def sleep(_: float) -> None:
        if not steps:
            raise KeyboardInterrupt
        happened(*steps.pop())

    happened(asked(9, mac=THIRD))
    monkeypatch.setattr(watch, "sleep", sleep)
    state = ["--state", "waiting"] if output == "json" else []
    ended = machines.run("machine", "watch", *state, "-o", output)
    assert (130, "matchboxctl: interrupted\n") == (ended.code, ended.err)
    if output == "table":
        other, one = ended.out.splitlines()
        assert one.endswith(f"  {MAC}  10.0.0.5         /ipxe 200 wait: it waits for approval")
        assert other.endswith(f"  {OTHER}  10.0.0.5         /ipxe 404")
    else:
        (line,) = ended.out.splitlines()
        event = json.loads(line)
        assert (MAC, "waiting", "/ipxe") == (event["id"], event["state"], event["what"])
