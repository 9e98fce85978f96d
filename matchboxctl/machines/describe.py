"""`matchboxctl machine describe`: identities, group, policy, state, and what the machine would get now."""

import time
from typing import Any

from lambda_matchbox.catalog.stores import Selection
from lambda_matchbox.machines.gate import MachineRequest, verdict
from lambda_matchbox.machines.identities import Identities
from matchboxctl.cli.arguments import parse_labels
from matchboxctl.cli.errors import MissingError
from matchboxctl.cli.output import print_result
from matchboxctl.cli.tables import description
from matchboxctl.machines.facts import machine_facts
from matchboxctl.machines.opened_stores import OpenedStores


def describe(opened: OpenedStores, machine_id: str, labels: tuple[str, ...], address: str, output: str) -> None:
    """Print what is known of the machine. Raises UsageError, MissingError if nobody acted on it yet."""
    machine, state = opened.named(machine_id)
    selection = opened.selection(dict(parse_labels(labels)), machine)
    now = int(time.time())
    facts = machine_facts(machine, state, selection, now)
    policy = None if selection is None else selection.group.boot
    facts["policy"] = None if policy is None else policy.fields()
    facts["now"] = _now(selection, machine, address, now)
    print_result(output, lambda: facts, lambda: _table(facts))
    if state is None:
        raise MissingError(f"nobody acted on {machine_id!r} yet")


def _now(selection: Selection | None, machine: Identities, address: str, now: int) -> dict[str, Any]:
    """What it would get at this moment from that address."""
    if selection is None:
        return {"verdict": None, "reason": "no group matches it"}
    if (policy := selection.group.boot) is None:
        return {"verdict": "allow", "reason": "its group has no boot policy"}
    request = MachineRequest(machine, address, selection.group.id, kind="script")
    found = verdict(policy, selection.machines, request, {}, now)
    return {"verdict": found.kind, "reason": found.reason}


def _table(facts: dict[str, Any]) -> str:
    delivered, now = facts["delivered"], facts["now"]
    policy = [] if facts["policy"] is None else [f"{name}: {value}" for name, value in facts["policy"].items()]
    rows = {
        "MAC address": facts["mac"],
        "UUID": facts["uuid"],
        "Serial number": facts["serial"],
        "Group": facts["group"],
        "Profile": facts["profile"],
        "Policy": policy or None,
        "State": facts["state"],
        "Approved": facts["approved"],
        "Held": facts["held"],
        "Armed until": facts["armed_until"],
        "Delivered": delivered and f"{delivered['time']} to {delivered['address']}",
        "Installed": facts["installed"],
        "Failed": facts["failed"],
        "Now": " ".join(part for part in (now["verdict"], now["reason"] and f"({now['reason']})") if part),
    }
    return description([(name, value if isinstance(value, list) else [value or ""]) for name, value in rows.items()])
