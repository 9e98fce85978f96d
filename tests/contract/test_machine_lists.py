"""Lists of machines and watches, over a data directory and over tables and bucket."""

import json
import time

import pytest
import yaml

from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.machines.identities import Identities
from lambda_matchbox.machines.state import MachineState
from matchboxctl.machines import watch
from tests.contract.machine_commands import opened, write
from tests.contract.machine_histories import BY_NIGHT, MAC, NOW, OTHER, THIRD, UUID, WAITS, asked, happened, ids, listed
from tests.support.resource_commands import ResourceCommands


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
