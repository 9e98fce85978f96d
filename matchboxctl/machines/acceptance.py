"""`matchboxctl machine accept`: an unknown machine becomes a group."""

import json
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.selection import Selector, greatest, selectors_of
from lambda_matchbox.machines.events import ACCEPT
from lambda_matchbox.machines.history import Record
from lambda_matchbox.machines.identities import Identities
from matchboxctl.cli.errors import FailedError, UsageError
from matchboxctl.cli.names import did_you_mean
from matchboxctl.cli.output import print_text
from matchboxctl.cli.tables import shown
from matchboxctl.machines.facts import machine_facts
from matchboxctl.machines.opened_stores import OpenedStores
from matchboxctl.machines.operators import recorded
from matchboxctl.resources.command import Target, create_one, note
from matchboxctl.resources.files import NamedFile


class NewGroup(NamedTuple):
    """The group that the operator wants; its id may be empty."""

    profile: str
    id: str
    metadata: Sequence[str]


def accept(opened: OpenedStores, groups: Target, machine_id: str, wanted: NewGroup) -> None:
    """Create a group that selects the machine, and print what that is. Raises CommandError."""
    done = accepted(opened, groups, machine_id, wanted)
    print(f"{groups.resource.word} {shown(done.group)} created", flush=True)
    note(done.problems)
    print_text("".join(f"  {shown(line)}\n" for line in done.lines))


class Accepted(NamedTuple):
    """The id of the new group, what machines would miss, and what it does."""

    group: str
    problems: Sequence[str]
    lines: Sequence[str]


def accepted(opened: OpenedStores, groups: Target, machine_id: str, wanted: NewGroup) -> Accepted:
    """Create a group that selects the machine. Raises CommandError."""
    machine, state = opened.named(machine_id)
    seen = opened.seen(machine)
    if seen is not None:
        machine = machine.completed(seen.identities)
    kind, _, identity = machine.keys[0].partition(":")
    selected = _group_before(opened, machine, seen, Selector(((kind, identity),)))
    document = {
        "id": wanted.id or identity.replace(":", "-"),
        "name": seen.fact("hostname") if seen is not None else "",
        "profile": wanted.profile,
        "selector": {kind: identity},
        "metadata": _metadata(wanted.metadata),
    }
    body = json.dumps({name: value for name, value in document.items() if value}).encode()
    draft = groups.resource.draft(NamedFile("", body, f"group {document['id']}"))
    if groups.documents.holds("groups", draft.name):
        raise FailedError(f"there is a group {draft.name!r} already: give another id with --group-id")
    if not groups.documents.holds("profiles", wanted.profile):
        alike = did_you_mean(wanted.profile, lambda: groups.documents.names("profiles"))
        raise FailedError(f"there is no profile {wanted.profile!r}{alike}; nothing was written")
    problems = create_one(groups, draft)
    line = f"selects {kind}={identity}, profile {wanted.profile}"
    lines = [line, _next(seen)]
    if selected is not None and selected.boot is not None:
        lines.append(f"{selected.id}, its group before, has a boot policy; this one has none")
    group = Group(draft.name, "", wanted.profile, {kind: identity}, {}, None)
    with recorded(opened, ACCEPT) as record:
        row = machine_facts(machine, state, group, int(time.time()))
        record.add(row, f"group {draft.name} {line}")
    return Accepted(draft.name, problems, lines)


def _group_before(opened: OpenedStores, machine: Identities, seen: Record | None, new: Selector) -> Group | None:
    """The group that the machine is in now. Raises FailedError if that names an identity, or would still win."""
    selection = opened.selection(opened.labels_of_its_group(seen), machine)
    if selection is None:
        # Its last group may list values of a label of which it is not known which one it has.
        group = opened.group_of(seen)
        if group is None or _names_an_identity(group):
            return None
    else:
        group = selection.group
        if _names_an_identity(group):
            see = f"see `matchboxctl group describe {shown(group.id)}`"
            raise FailedError(f"group {shown(group.id)} selects this machine already: {see}")
    if greatest([*selectors_of(group.selector), new]) != new:
        raise FailedError(
            f"group {shown(group.id)} would still select this machine, by {shown(', '.join(group.selector))}: use "
            "`matchboxctl group create` for a group with more selectors"
        )
    return group


def _names_an_identity(group: Group) -> bool:
    return not set(Identities._fields).isdisjoint(key.lower() for key in group.selector)


def _metadata(pairs: Sequence[str]) -> Mapping[str, str]:
    found = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not key or not equals:
            raise UsageError(f"invalid --metadata {pair!r}: use KEY=VALUE, such as role=worker")
        found[key] = value
    return found


def _next(seen: Record | None) -> str:
    """What the machine does now."""
    if seen is None or seen.newest is None:
        return "it was never seen: it gets this when it asks"
    if seen.newest.verdict == "wait":
        return "it waits, and boots when it asks again, within a minute"
    return "it gets this at its next network boot: reset it if it does not ask again"
