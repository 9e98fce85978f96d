from collections.abc import Callable

import pytest

from lambda_matchbox.machines.gate import MachineRequest, Verdict, verdict
from lambda_matchbox.machines.identities import Identities
from lambda_matchbox.machines.policy import Policy
from lambda_matchbox.machines.state import (
    MachineState,
    approved,
    armed,
    delivered,
    held,
    next_delivery,
    state_name,
    unheld,
)
from lambda_matchbox.machines.tokens import TokenError, read_token, token_for

NOW = 1_700_000_000
KEYS = {1: b"k" * 32}
MAC, UUID = "52:54:00:12:34:56", "4c4c4544-0038-4410-8052-b3c04f4b5931"
NODE = Identities(MAC, UUID)
HOME = "10.0.0.5"
ONCE, TOKEN, APPROVE = Policy(once=True), Policy(token=True), Policy(approve=True)


def script(named: Identities = NODE, address: str = HOME) -> MachineRequest:
    return MachineRequest(named, address, "g", kind="script")


def config(named: Identities = NODE, address: str = HOME, token: str | None = None) -> MachineRequest:
    return MachineRequest(named, address, "g", kind="configuration", token=None if token is None else read_token(token))


def token_of(state: MachineState | None, group: str = "g", now: int = NOW) -> str:
    return token_for(KEYS, NODE, group, "" if state is None else state.boot, now)


def decided(policy: Policy, request: MachineRequest, *states: MachineState, now: int = NOW) -> Verdict:
    return verdict(policy, states, request, KEYS, now)


def kind(policy: Policy, request: MachineRequest, *states: MachineState, now: int = NOW) -> str:
    return decided(policy, request, *states, now=now).kind


def after_delivery(
    policy: Policy, state: MachineState | None = None, address: str = HOME, now: int = NOW
) -> MachineState:
    return delivered(state or MachineState(NODE), next_delivery(state, address, now), policy, "next")


def test_without_an_identity_a_machine_is_refused() -> None:
    found = decided(Policy(), script(Identities()))
    assert (found.kind, found.reason) == ("refuse", "the request names no MAC address, UUID or serial number")


def test_a_held_machine_gets_nothing() -> None:
    state = held(MachineState(NODE), NOW)
    for policy in (Policy(), ONCE, TOKEN, APPROVE):
        for request in (script(), config(), config(token=token_of(state))):
            assert kind(policy, request, state) == "refuse"


def test_a_machine_waits_until_it_is_approved() -> None:
    assert kind(APPROVE, script()) == "wait"
    assert kind(APPROVE, config(), MachineState(NODE)) == "wait"
    assert kind(APPROVE, script(), approved(MachineState(NODE), NOW)) == "allow"


def test_an_approval_is_for_a_group() -> None:
    """So a machine that claims to be another group's waits again."""
    for group, expected in (("g", "allow"), ("other", "wait"), ("", "allow")):
        state = approved(MachineState(NODE), NOW, group)
        assert [kind(APPROVE, request, state) for request in (script(), config())] == [expected, expected]
        assert state_name(state, APPROVE, "g", NOW) == ("waiting" if expected == "wait" else "ready")
    newer = approved(state, NOW + 1, "g")._replace(revision="2")
    assert (newer.approved, approved(newer, NOW + 2, "g")) == (NOW + 1, newer)
    assert kind(APPROVE, script(), state._replace(revision="1"), newer) == "wait"


@pytest.mark.parametrize("end", [lambda state: armed(state, NOW + 60, "b"), lambda state: unheld(held(state, 1), "b")])
def test_an_installation_that_an_operator_ended_is_not_under_way(end: Callable[[MachineState], MachineState]) -> None:
    policy = ONCE._replace(done="report")
    state = after_delivery(policy)
    assert [state_name(one, policy, "g", NOW) for one in (state, end(state))] == ["installing", "ready"]
    again = after_delivery(policy, armed(state._replace(installed=NOW), NOW + 60, "b"), now=NOW + 1)
    assert state_name(again, policy, "g", NOW + 2) == "installing"


def test_an_installed_machine_boots_from_its_disk_until_it_is_armed() -> None:
    assert kind(ONCE, script()) == "allow"
    state = after_delivery(ONCE)
    assert kind(ONCE, script(), state) == "disk"
    assert kind(ONCE, config(address="10.0.0.6"), state) == "disk"
    again = armed(state, NOW + 1800, "b2")
    assert kind(ONCE, script(), again) == "allow"
    assert kind(ONCE, script(), again, now=NOW + 1800) == "disk"
    assert kind(ONCE, script(), after_delivery(ONCE, again)) == "disk"


def test_an_installer_may_ask_twice() -> None:
    assert decided(ONCE, config()).first
    repeated = decided(ONCE, config(), after_delivery(ONCE))
    assert (repeated.kind, repeated.first) == ("allow", False)
    assert kind(ONCE, config(), after_delivery(ONCE), now=NOW + 3600) == "disk"


def test_the_strictest_of_a_machines_records_holds() -> None:
    """One may be written while the others are read, and others may be damaged."""
    old = MachineState(NODE._replace(uuid=""), NOW, revision="1")
    for newer in (after_delivery(ONCE, old), held(old, NOW), old._replace(approved=0)):
        found = [old, newer._replace(identities=NODE, revision="2")]
        for states in (found, found[::-1]):
            verdict = decided(ONCE._replace(approve=True), script(), *states)
            assert verdict.kind != "allow"
            assert verdict.state is not None
            assert verdict.state.revision == "2"
    undone = held(old, NOW)._replace(revision="0")
    assert kind(ONCE, script(), old, undone) == "refuse"
    ended = armed(after_delivery(ONCE, old), NOW + 60, "b")._replace(revision="2")
    assert kind(ONCE, script(), after_delivery(ONCE, old), ended) == "disk"


def test_a_reported_installation_counts_when_it_is_reported() -> None:
    policy = ONCE._replace(done="report")
    state = after_delivery(policy)
    assert kind(policy, script(), state) == "allow"
    assert kind(policy, script(), state._replace(installed=NOW)) == "disk"


def test_a_configuration_needs_the_token_of_this_boot() -> None:
    assert kind(TOKEN, script()) == "allow"
    assert decided(TOKEN, config()).reason == "the request has no token"
    assert kind(TOKEN, config(token=token_of(None))) == "allow"
    assert kind(TOKEN, config(token=token_of(None, "other"))) == "refuse"
    assert kind(TOKEN, config(token=token_of(None)), now=NOW + 7200) == "refuse"
    damaged = config()._replace(token=TokenError("the token is damaged"))
    assert decided(TOKEN, damaged).reason == "the token is damaged"


def test_one_address_gets_the_configuration() -> None:
    first = token_of(None)
    assert decided(TOKEN, config(token=first)).first
    state = after_delivery(TOKEN)
    assert decided(TOKEN, config(token=first), state)._replace(state=None) == Verdict("allow", machine=NODE)
    stolen = decided(TOKEN, config(address="10.0.0.6", token=first), state)
    assert (stolen.kind, stolen.reason) == ("refuse", "the token was used from another address")
    assert decided(TOKEN, config(token=token_of(state)), state).first


def test_of_an_ipv6_address_the_network_counts() -> None:
    state = after_delivery(TOKEN, address="2001:db8:0:1::5")
    first = token_of(None)
    assert kind(TOKEN, config(address="2001:db8:0:1:a::6", token=first), state) == "allow"
    assert kind(TOKEN, config(address="2001:db8:0:2::5", token=first), state) == "refuse"


@pytest.mark.parametrize("change", ["arm", "hold"])
def test_a_token_ends_with_arm_and_hold(change: str) -> None:
    for state in (approved(MachineState(NODE, boot="b1"), NOW), after_delivery(TOKEN)):
        old = [token_of(state), token_of(None)]
        new = armed(state, NOW + 60, "b2") if change == "arm" else unheld(held(state, NOW), "b2")
        assert [kind(TOKEN, config(token=one), new) for one in old] == ["refuse", "refuse"]
        assert kind(TOKEN, config(token=token_of(new)), new) == "allow"


def test_unhold_ends_nothing_of_a_machine_that_is_not_held() -> None:
    assert unheld(after_delivery(TOKEN), "b2") == after_delivery(TOKEN)


def test_a_token_suffices_where_no_identity_is_named() -> None:
    state = approved(MachineState(NODE), NOW)
    request = config(Identities(), token=token_of(None))
    assert decided(TOKEN, request, state).machine == NODE


def test_an_identity_of_another_machine_is_refused() -> None:
    fresh = Identities("52:54:00:00:00:01", UUID)
    state = after_delivery(ONCE)
    assert decided(ONCE, script(fresh), state).reason == "one of its identities is another machine's"
    two = MachineState(Identities(mac="52:54:00:00:00:01"))
    assert decided(ONCE, script(fresh), two, state).reason == "its identities are those of several machines"
    assert kind(ONCE, script(Identities(uuid=UUID)), state) == "disk"
    assert kind(ONCE, script(Identities(mac=MAC)), state) == "disk"


def test_a_machine_is_one_while_an_identity_is_added_to_it() -> None:
    """Its records are not read at once: one has the state before that, and the strictest holds."""
    before = approved(MachineState(Identities(uuid=UUID), revision="1"), NOW)
    after = after_delivery(ONCE, before._replace(identities=NODE, revision="2"))
    for records in ((before, after), (after, before)):
        assert kind(ONCE, script(), *records) == "disk"
        assert kind(ONCE, script(), *(held(state, NOW) for state in records)) == "refuse"
    other = before._replace(identities=Identities("52:54:00:00:00:01", UUID))
    assert decided(ONCE, script(Identities(uuid=UUID)), after, other).reason.endswith("of several machines")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("10.20.13.7", "allow"),
        ("::ffff:10.20.13.7", "allow"),
        ("2001:db8::1", "allow"),
        ("10.20.14.7", "refuse"),
        ("2001:db9::1", "refuse"),
        ("", "refuse"),
        ("unknown", "refuse"),
    ],
)
def test_only_listed_networks_are_answered(address: str, expected: str) -> None:
    policy = Policy(from_networks=("10.20.13.0/24", "2001:db8::/32"))
    assert kind(policy, script(address=address)) == expected
    assert kind(policy, config(address=address)) == expected
