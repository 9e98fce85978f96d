"""Whatever befalls records of machines is found, and repairs end in sound records."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.aws.fsck.machine_rules import machine_damage
from lambda_matchbox.aws.keys import MACHINE, machine_key
from lambda_matchbox.machines.gate import MachineRequest, verdict
from lambda_matchbox.machines.identities import Identities
from lambda_matchbox.machines.policy import Policy
from lambda_matchbox.machines.records import DamagedRecordError, state_in, text_of
from lambda_matchbox.machines.state import MachineState

NOW = 1000
MACS, UUIDS, SERIALS = ("", "m1", "m2"), ("", "u1", "u2"), ("", "s1")
EVERY = [Identities(mac, uuid, serial) for mac in MACS for uuid in UUIDS for serial in SERIALS][1:]
KEYS = sorted({machine_key(key) for one in EVERY for key in one.keys})

states = st.builds(
    MachineState,
    st.sampled_from(EVERY),
    approved=st.sampled_from((0, 5)),
    held=st.sampled_from((0, 0, 5)),
    armed_until=st.sampled_from((0, 2000)),
    installed=st.sampled_from((0, 5)),
)
records = st.tuples(st.one_of(st.none(), states), st.sampled_from("123"))


def item(key: str, state: MachineState | None, revision: str) -> dict[str, object]:
    return {"pk": key, "rev": revision, "state": "damaged" if state is None else text_of(state)}


@st.composite
def tables(draw: st.DrawFn) -> dict[str, dict[str, object]]:
    """Machines with all their records, some of which are then lost, damaged or replaced."""
    found: dict[str, dict[str, object]] = {}
    for state, revision in draw(st.lists(st.tuples(states, st.sampled_from("123")), max_size=2)):
        for key in map(machine_key, state.identities.keys):
            found[key] = item(key, state, revision)
    for key, (state, revision) in draw(st.dictionaries(st.sampled_from(KEYS), records, max_size=2)).items():
        found[key] = item(key, state, revision)
    for key in draw(st.sets(st.sampled_from(KEYS), max_size=2)):
        found.pop(key, None)
    return found


def read(found: Mapping[str, object]) -> MachineState | None:
    try:
        return state_in(str(found["state"]), str(found["rev"]))
    except DamagedRecordError:
        return None


def is_sound(items: Mapping[str, Mapping[str, object]]) -> bool:
    for key, found in items.items():
        state = read(found)
        if state is None or key.removeprefix(MACHINE) not in state.identities.keys:
            return False
        same = [items.get(machine_key(one)) for one in state.identities.keys]
        if any(other is None or (other["state"], other["rev"]) != (found["state"], found["rev"]) for other in same):
            return False
    return True


@given(tables())
def test_damage_is_found_and_repaired(items: dict[str, dict[str, object]]) -> None:
    assert is_sound(items) == (not [*machine_damage(items, NOW)])
    repair(items)
    assert is_sound(items)


def repair(items: dict[str, dict[str, object]]) -> None:
    for number in range(9):
        for suspected in [*machine_damage(items, NOW)]:
            again = {key: found for key, found in items.items() if key in suspected.keys}
            for damage in machine_damage(again, NOW):
                if damage.id == suspected.id:
                    for key in map(machine_key, damage.mended.identities.keys):
                        items[key] = item(key, damage.mended, f"9{number}")


@pytest.mark.parametrize("owner", [Identities("m2", "u1"), Identities("", "u1", "s1")])
@pytest.mark.parametrize("has_record", [True, False])
def test_identity_of_two_machines_is_left_to_one_with_which_the_other_is_refused(
    owner: Identities, has_record: bool
) -> None:
    """Also if both might be one machine, of which a record was lost."""
    machine = Identities("m1", "u1")
    items = {MACHINE + key: item(key, MachineState(owner), "2") for key in owner.keys}
    items["M#mac:m1"] = item("M#mac:m1", MachineState(machine), "1")
    if not has_record:
        del items["M#uuid:u1"]
    found = [finding.text for damage in machine_damage(items, NOW) for finding in damage.findings]
    texts = [text for text in found if "is an identity of two machines" in text]
    assert [f"uuid:u1 is an identity of two machines, mac:m1 and {owner.keys[0]}"] == [
        text.partition(";")[0] for text in texts
    ]
    repair(items)
    assert ("refuse", "allow") == (gate(items, machine), gate(items, owner))


def gate(items: Mapping[str, Mapping[str, object]], named: Identities) -> str:
    states = [state for key in named.keys if (state := read(items.get(machine_key(key), {"state": "", "rev": ""})))]
    return verdict(Policy(once=True), states, MachineRequest(named, "10.0.0.1", "g", "script"), {}, NOW).kind
