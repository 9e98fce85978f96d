"""States as texts."""

import json

import pytest

from lambda_matchbox.machines.identities import Identities
from lambda_matchbox.machines.records import DamagedRecordError, state_in, text_of
from lambda_matchbox.machines.state import Delivery, MachineState
from lambda_matchbox.machines.stores import new_revision

NODE = Identities("52:54:00:12:34:56", serial="x")
STATE = MachineState(NODE, 1, 2, 3, "b", Delivery(5, "10.0.0.5", "a", 6), 7, "no disk", "g", "r")


def test_a_state_is_read_as_it_was_written() -> None:
    for state in (STATE, MachineState(NODE, revision="r")):
        assert state_in(text_of(state), "r") == state


@pytest.mark.parametrize(
    "fields",
    [
        {"identities": {}},
        {"identities": {"mac": 5}},
        {"identities": {"mac": "a", "colour": "red"}},
        {"held": "no"},
        {"armed_until": None},
        {"installed": 1.5},
        {"delivery": {"time": 1}},
        {"delivery": {"time": "1", "address": "", "boot": "", "until": 2}},
        {"delivery": 5},
        {"colour": "red"},
    ],
)
def test_a_damaged_state_is_none(fields: dict[str, object]) -> None:
    with pytest.raises(DamagedRecordError):
        state_in(json.dumps(json.loads(text_of(STATE)) | fields), "r")


@pytest.mark.parametrize("text", ["", "[]", "null", "5", text_of(STATE)[:-1]])
def test_what_is_no_object_is_no_state(text: str) -> None:
    with pytest.raises(DamagedRecordError):
        state_in(text, "r")


def test_later_revisions_are_greater() -> None:
    found = [new_revision() for _ in range(100)]
    assert found[0] < found[-1]
    assert len(set(found)) == len(found)
