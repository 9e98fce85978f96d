"""`matchboxctl machine describe`: identities, group, policy, state, and what the machine would get now."""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.labels import CLIENT_IP
from lambda_matchbox.catalog.stores import Selection
from lambda_matchbox.errors import DocumentError
from lambda_matchbox.machines.events import Event
from lambda_matchbox.machines.history import HOUR, Record
from lambda_matchbox.machines.identities import Identities
from lambda_matchbox.machines.state import strictest
from matchboxctl.cli.arguments import parse_labels
from matchboxctl.cli.errors import FailedError, MissingError
from matchboxctl.cli.output import print_result
from matchboxctl.cli.tables import description, policy_lines, shown
from matchboxctl.machines.event_texts import event_document, event_text
from matchboxctl.machines.facts import machine_facts, rfc3339, verdict_now
from matchboxctl.machines.opened_stores import OpenedStores, labels_of
from matchboxctl.render.other_groups import other_groups, reason
from matchboxctl.render.secret_masks import MASK, names_a_secret

_OTHERS = 3
_EVENTS = 5
_RECENT = 24 * HOUR


def describe(opened: OpenedStores, machine_id: str, labels: tuple[str, ...], address: str, output: str) -> None:
    """Print what is known of the machine. Raises UsageError, MissingError if that is nothing."""
    found = machine_description(opened, machine_id, labels, address)
    print_result(output, lambda: found.facts, lambda: _table(found))
    if not found.is_known:
        raise MissingError(f"{shown(machine_id)} was never seen, and nobody acted on it")


class MachineDescription(NamedTuple):
    """What is known of a machine as a document, its group, its last events, and labels that it had or is given."""

    facts: dict[str, Any]
    machine: Identities
    labels: Mapping[str, str]
    group: Group | None
    seen: Record | None
    events: Sequence[Event]
    is_known: bool


def machine_description(
    opened: OpenedStores, machine_id: str, labels: Sequence[str] = (), address: str = "", others: int = _OTHERS
) -> MachineDescription:
    """What is known of the machine, and why so many other groups do not select it. Raises UsageError.

    Without others, not all groups are read.
    """
    machine, state = opened.named(machine_id)
    seen = opened.seen(machine)
    if seen is not None:
        machine = machine.completed(seen.identities)
    if state is None and (found := opened.machines.read_all(machine.keys)):
        state = strictest(found)
    asked = dict(parse_labels(labels)) or opened.labels_of_its_group(seen)
    given = asked | ({CLIENT_IP: address} if address else {})
    address = given.get(CLIENT_IP, "")
    selection, why_none = _selection(opened, given, machine)
    now = int(time.time())
    facts = machine_facts(machine, state, None if selection is None else selection.group, now)
    policy = None if selection is None else selection.group.boot
    facts["policy"] = None if policy is None else policy.fields()
    facts["now"] = _now(selection, machine, address, now) if selection else {"verdict": None, "reason": why_none}
    facts["why"] = _why(opened, selection, labels_of(machine) | given, others)
    events = () if seen is None else opened.history.events(seen, seen.last_event - _RECENT)[-_EVENTS:]
    facts |= _seen_facts(seen or Record(), events)
    labelled = labels_of(machine) | given
    group = None if selection is None else selection.group
    return MachineDescription(facts, machine, labelled, group, seen, events, state is not None or seen is not None)


def _seen_facts(seen: Record, events: Sequence[Event]) -> dict[str, Any]:
    return {
        **{name: seen.fact(name) or None for name in ("hostname", "arch", "release", "address")},
        "first_seen": rfc3339(seen.first_seen // 1000),
        "last_seen": rfc3339(seen.last_seen // 1000),
        "events": [event_document(event) for event in events],
    }


def _selection(opened: OpenedStores, labels: dict[str, str], machine: Identities) -> tuple[Selection | None, str]:
    """The selection, or why there is none: a group that cannot be read hides nothing else."""
    try:
        return opened.selection(labels, machine), "no group matches it"
    except DocumentError as error:
        return None, str(error)


def _now(selection: Selection, machine: Identities, address: str, now: int) -> dict[str, Any]:
    """What it would get at this moment from that address; without one, from one of its group's networks."""
    verdict, reason = verdict_now(selection, machine, address, now)
    return {"verdict": verdict, "reason": reason}


def _why(opened: OpenedStores, selection: Selection | None, labels: Mapping[str, str], limit: int) -> list[str]:
    """Why it is in its group, and in no other of those that lack the fewest selectors."""
    group = None if selection is None else selection.group
    own = [] if group is None else [f"by {_pairs(group.selector)}"]
    if not limit:
        return own
    try:
        with opened.advising():
            found = other_groups(opened.responses().catalog, group, labels, limit)
    except FailedError as error:
        # Who may look at machines may not have to read all items of the table.
        opened.warn(f"warning: why no other group selects it is left out: {error}")
        return own
    others = [f"not {other.id}: {reason(other, labels, _pairs, _value)}" for other in found.nearest]
    return [*own, *others, *filter(None, [found.rest])]


def _pairs(selector: Mapping[str, object]) -> str:
    return " ".join(f"{key}={_value(key, value)}" for key, value in selector.items()) or "no selector"


def _value(key: str, value: object) -> str:
    if names_a_secret(key):
        return MASK
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _table(found: MachineDescription) -> str:
    facts, seen = found.facts, [] if found.seen is None else _seen_rows(found.facts, found.events)
    delivered, now, group = facts["delivered"], facts["now"], facts["approved_for"]
    policy = policy_lines(facts["policy"] or {})
    rows = {
        "MAC address": facts["mac"],
        "UUID": facts["uuid"],
        "Serial number": facts["serial"],
        "Group": [facts["group"] or "none", *facts["why"]],
        "Profile": facts["profile"],
        "Policy": policy or None,
        "State": facts["state"],
        "Approved": facts["approved"] and f"{facts['approved']} for {f'group {group}' if group else 'any group'}",
        "Held": facts["held"],
        "Armed until": facts["armed_until"],
        "Delivered": delivered and f"{delivered['time']} to {delivered['address']}",
        "Installed": facts["installed"],
        "Failed": facts["failed"],
        "Now": ": ".join(filter(None, (now["verdict"] or "nothing", now["reason"]))),
    }
    known = [(name, value if isinstance(value, list) else [value or ""]) for name, value in rows.items()]
    return description([*known, *seen])


def _seen_rows(facts: dict[str, Any], events: Sequence[Event]) -> list[tuple[str, Sequence[str]]]:
    last = f"{facts['last_seen']} at {facts['address']}" if facts["last_seen"] else ""
    return [
        ("Host name", [facts["hostname"] or ""]),
        ("Architecture", [facts["arch"] or ""]),
        ("Release", [facts["release"] or ""]),
        ("First seen", [facts["first_seen"] or ""]),
        ("Last seen", [last]),
        ("Last events", [f"{rfc3339(event.time // 1000)}  {event_text(event)}" for event in events]),
    ]
