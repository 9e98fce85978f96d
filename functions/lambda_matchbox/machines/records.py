"""A machine's state as a JSON text, which stores keep under each of its identities."""

import json
from typing import Any

from lambda_matchbox.machines.identities import Identities
from lambda_matchbox.machines.state import Delivery, MachineState


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
    if not state.identities.keys or not all(isinstance(one, str) for one in state.identities):
        raise DamagedRecordError("the state of a machine has no identity")
    return state
