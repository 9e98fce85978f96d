"""`matchboxctl machine describe`, and `group describe` of a policy."""

import json

import pytest

from tests.contract.machine_commands import HYPHENS, MAC, OTHER, POLICY, described, fill, put
from tests.support.resource_commands import ResourceCommands


@pytest.fixture
def filled(commands: ResourceCommands) -> ResourceCommands:
    return fill(commands)


def test_describe_of_a_machine_nobody_acted_on_or_saw_ends_with_4(filled: ResourceCommands) -> None:
    ended = filled.run("machine", "describe", HYPHENS)
    assert (4, f"matchboxctl: {HYPHENS} was never seen, and nobody acted on it\n") == (ended.code, ended.err)
    assert (
        f"MAC address:    {MAC}\n"
        "UUID:           -\n"
        "Serial number:  -\n"
        "Group:          workers\n"
        f"                by mac={MAC}\n"
        f"                not plain: it selects mac={OTHER} (the machine has {MAC})\n"
        "Profile:        p\n"
        "Policy:         approve: true\n"
        "                once: true\n"
        "                token: true\n"
        "State:          waiting\n"
        "Approved:       -\n"
        "Held:           -\n"
        "Armed until:    -\n"
        "Delivered:      -\n"
        "Installed:      -\n"
        "Failed:         -\n"
        "Now:            wait: it waits for approval\n"
    ) == ended.out


def test_describe_without_policy_or_group(filled: ResourceCommands) -> None:
    plain = described(filled, OTHER)
    assert ("plain", None, "ready") == (plain["group"], plain["policy"], plain["state"])
    assert {"verdict": "allow", "reason": "its group has no boot policy"} == plain["now"]
    stray = described(filled, "SN-7")
    assert (None, "SN-7", {"verdict": None, "reason": "no group matches it"}) == (
        stray["group"],
        stray["serial"],
        stray["now"],
    )
    assert ("workers", "waiting") == tuple(
        described(filled, "SN-7", "--label", f"mac={MAC}")[n] for n in ("group", "state")
    )


def test_describe_from_an_address(filled: ResourceCommands) -> None:
    policy = {"from": ["10.20.13.0/24", "fd00::/64"]}
    put(filled, "group", {"id": "workers", "profile": "p", "selector": {"mac": MAC}, "boot": policy})
    assert ["allow", "allow", "allow", "refuse"] == [
        described(filled, MAC, *address)["now"]["verdict"]
        for address in ([], ["--address", "10.20.13.9"], ["--address", "fd00::1"], ["--address", "10.20.14.9"])
    ]
    assert "Policy:         from: 10.20.13.0/24, fd00::/64\n" in filled.run("machine", "describe", MAC).out


def test_describe_of_a_group_shows_its_policy(filled: ResourceCommands) -> None:
    assert "Boot policy:  approve: true\n              once: true\n" in filled.ok("group", "describe", "workers")
    assert "policy" not in filled.ok("group", "describe", "plain")
    listed = json.loads(filled.ok("group", "list", "-o", "json"))
    assert {"plain": None, "workers": POLICY} == {group["id"]: group.get("boot") for group in listed}
    bad = filled.run("group", "create", "-f", filled.file("g", '{"id": "g", "profile": "p", "boot": {"onse": true}}'))
    assert (1, True) == (bad.code, "onse: unknown; a policy has approve, once, token" in bad.err)
