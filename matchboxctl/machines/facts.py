"""What is known of a machine, for tables and for programs."""

from datetime import UTC, datetime
from typing import Any

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.stores import Selection
from lambda_matchbox.machines.gate import MachineRequest, RequestKind, verdict
from lambda_matchbox.machines.identities import Identities
from lambda_matchbox.machines.state import MachineState, StateName, state_name


def state_in(group: Group | None, state: MachineState | None, now: int) -> StateName:
    """The state in one word, of a machine of that group."""
    return state_name(state, None, "", now) if group is None else state_name(state, group.boot, group.id, now)


def machine_facts(machine: Identities, state: MachineState | None, group: Group | None, now: int) -> dict[str, Any]:
    """The machine as a document. Times are RFC 3339; what is unknown or never happened is null."""
    delivery = None if state is None else state.delivery
    return {
        "id": machine.keys[0].partition(":")[2],
        "mac": machine.mac or None,
        "uuid": machine.uuid or None,
        "serial": machine.serial or None,
        "state": state_in(group, state, now),
        "group": None if group is None else group.id,
        "profile": None if group is None else group.profile,
        "approved": None if state is None else rfc3339(state.approved),
        "approved_for": (state and state.approved_for) or None,
        "held": None if state is None else rfc3339(state.held),
        "armed_until": None if state is None or state.armed_until <= now else rfc3339(state.armed_until),
        "delivered": None if delivery is None else {"time": rfc3339(delivery.time), "address": delivery.address},
        "installed": None if state is None else rfc3339(state.installed),
        "failed": (state and state.failed) or None,
    }


def verdict_now(
    selection: Selection, machine: Identities, address: str, now: int, kind: RequestKind = "script"
) -> tuple[str, str]:
    """The gate's verdict on the machine's request at this moment and the reason; of groups with `token`, with a token.

    Without an address, it is one of its group's networks.
    """
    if (policy := selection.group.boot) is None:
        return "allow", "its group has no boot policy"
    policy = policy._replace(token=False, from_networks=policy.from_networks if address else ())
    request = MachineRequest(machine, address, selection.group.id, kind)
    found = verdict(policy, selection.machines, request, {}, now)
    return found.kind, found.reason


def rfc3339(seconds: int) -> str | None:
    """The time in UTC; None for 0."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if seconds else None
