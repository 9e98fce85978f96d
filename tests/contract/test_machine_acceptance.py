"""Machines that nobody knew: their groups, and the approval of all that wait, wherever documents and histories are."""

import json
from collections.abc import Callable, Iterable, Iterator

import pytest

from lambda_matchbox.machines.identities import Identities
from lambda_matchbox.machines.state import MachineState
from matchboxctl.machines import group_approval
from tests.contract.machine_commands import put, write
from tests.contract.machine_histories import BY_NIGHT, MAC, OTHER, THIRD, UUID, WAITS, asked, happened, ids, listed
from tests.support.resource_commands import ResourceCommands


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
    (row,) = listed(machines, "--group", "52-54-00-12-34-56", "--state", "ready")
    assert (MAC, "p", "accept") == (row["id"], row["profile"], row["last_event"]["what"])
    again = machines.run("machine", "accept", MAC, "--profile", "p", "--group-id", "g")
    assert (1, "", True) == (again.code, again.out, "group 52-54-00-12-34-56 selects this machine already" in again.err)


@BY_NIGHT
def test_group_that_selects_another_machine_by_now_is_in_no_ones_way(machines: ResourceCommands) -> None:
    happened(asked(9, mac=MAC, group="node1", profile="p"))
    put(machines, "group", {"id": "node1", "profile": "p", "selector": {"mac": OTHER}})
    assert "group 52-54-00-12-34-56 created" in machines.ok("machine", "accept", MAC, "--profile", "p")


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
def test_machine_that_asks_again_while_others_are_approved_is_approved(
    machines: ResourceCommands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is in the first page then, which has been approved."""
    monkeypatch.setattr(group_approval, "_PAGE", 2)
    macs = [f"52:54:00:00:00:{number:02x}" for number in range(3)]
    happened(*(asked(10 + number, mac=mac, **WAITS) for number, mac in enumerate(macs)))

    def in_parallel(work: Callable[[Identities], None], items: Iterable[Identities]) -> Iterator[Identities]:
        happened(asked(1, mac=macs[2], **WAITS))
        for one in items:
            work(one)
            yield one

    monkeypatch.setattr(group_approval, "in_parallel", in_parallel)
    ended = machines.run("machine", "approve", "--group", "workers", "--all")
    assert (0, "matchboxctl: 3 machines of group workers approved\n") == (ended.code, ended.err)


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
