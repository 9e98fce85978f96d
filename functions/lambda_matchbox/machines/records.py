"""A machine's state as a JSON text, which stores keep under each of its identities."""

import json
from functools import lru_cache
from typing import Any

from lambda_matchbox.machines.identities import Identities
from lambda_matchbox.machines.state import Delivery, MachineState

_KEPT = 4096
"""Texts whose states are kept, as each request of a machine reads its own."""


class DamagedRecordError(ValueError):
    """A text that is no state."""


def text_of(state: MachineState) -> str:
    """The state without its revision; fields with their defaults are left out."""
    fields: dict[str, Any] = {
        name: value for name, value in state._asdict().items() if value != MachineState._field_defaults.get(name)
    }
    fields.pop("revision", None)
    for name in ("identities", "delivery"):
        if name in fields:
            fields[name] = fields[name]._asdict()
    return json.dumps(fields, separators=(",", ":"))


@lru_cache(_KEPT)
def state_in(text: str, revision: str) -> MachineState:
    """The state in a text, of that revision. Raises DamagedRecordError: a part of a state must not count as none."""
    try:
        fields = json.loads(text)
        fields["identities"] = Identities(**fields["identities"])
        if (delivery := fields.get("delivery")) is not None:
            fields["delivery"] = Delivery(**delivery)
        state = MachineState(**fields, revision=revision)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DamagedRecordError("the state of a machine is damaged") from error
    if not _is_sound(state):
        raise DamagedRecordError("the state of a machine is damaged")
    return state


def _is_sound(state: MachineState) -> bool:
    """Whether there is an identity, and every field is of its type."""
    sound = MachineState(state.identities, delivery=state.delivery)
    return (
        all(isinstance(one, str) for one in state.identities)
        and bool(state.identities.keys)
        and [*map(type, state)] == [*map(type, sound)]
        and (state.delivery is None or [*map(type, state.delivery)] == [int, str, str, int])
    )
