"""`matchboxctl machine approve`, `arm`, `hold`, `unhold` and `forget`."""

import secrets
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import Any, NamedTuple

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.errors import DocumentError
from lambda_matchbox.machines.identities import Identities, identity
from lambda_matchbox.machines.state import MachineState, StateName, approved, armed, held, unheld
from lambda_matchbox.machines.stores import ChangedError
from matchboxctl.cli.errors import FailedError, UsageError
from matchboxctl.cli.names import did_you_mean
from matchboxctl.cli.output import print_result, print_text
from matchboxctl.cli.tables import shown
from matchboxctl.machines.facts import machine_facts, rfc3339, state_in
from matchboxctl.machines.opened_stores import OpenedStores
from matchboxctl.machines.operators import recorded

Change = Callable[[MachineState, Group | None, int], MachineState]
"""Of a state by an operator, with the machine's group and the time."""

Action = Callable[[Identities, str], tuple[dict[str, Any], str]]
"""Acts on a machine and the name that an operator gave it; its document afterwards, and what was done."""


class Act(NamedTuple):
    """An action, and the command as which the history keeps it; empty for none."""

    action: Action
    command: str = ""


class Done(NamedTuple):
    """The machine on which was acted, the name that the operator gave it, its document, and what was done."""

    machine: Identities
    name: str
    row: dict[str, Any]
    line: str


_ATTEMPTS = 5


def approval(opened: OpenedStores, group_id: str) -> Act:
    """Lets a machine install as one of that group, or of the one that it is in. Raises UsageError if there is none."""
    named = opened.group(group_id) if group_id else None
    if group_id and named is None:
        alike = did_you_mean(group_id, lambda: (group.id for group in opened.groups()))
        raise UsageError(f"there is no group {group_id!r}{alike}")

    def approve(state: MachineState, group: Group | None, now: int) -> MachineState:
        is_meant = named is not None or (group is not None and group.boot is not None and group.boot.approve)
        return approved(state, now, group.id if group is not None and is_meant else "")

    return Act(partial(_changed, opened, change=approve, named=named, for_a_group=True), "approve")


def arming(opened: OpenedStores, seconds: int) -> Act:
    """Lets a machine install at its next boot, within that time."""
    return _change(opened, "arm", lambda state, _, now: armed(state, now + seconds, secrets.token_hex(8)))


def holding(opened: OpenedStores) -> Act:
    """Gives a machine nothing."""
    return _change(opened, "hold", lambda state, _, now: held(state, now))


def unholding(opened: OpenedStores) -> Act:
    """Answers a machine again."""
    return _change(opened, "unhold", lambda state, *_: unheld(state, secrets.token_hex(8)))


def forgetting(opened: OpenedStores, *, state: bool) -> Act:
    """Deletes a machine's history and, with `state`, its state."""
    # A record of this command would name it again.
    return Act(partial(_forgotten, opened, state=state))


def _change(opened: OpenedStores, command: str, change: Change) -> Act:
    return Act(partial(_changed, opened, change=change), command)


def on_each(opened: OpenedStores, named: Mapping[Identities, str], act: Act) -> Generator[Done]:
    """Act on each machine, by the names that an operator gave them. Raises CommandError."""
    with recorded(opened, act.command) as record:
        for machine, name in named.items():
            row, line = act.action(machine, name)
            record.add(row, line)
            yield Done(machine, name, row, line)


def run(opened: OpenedStores, ids: Sequence[str], act: Act, output: str) -> None:
    """Act on each machine, and print what was done to it, also if the next fails. Raises CommandError."""
    # All names are good before the first machine changes.
    named = {opened.named(machine_id)[0]: machine_id for machine_id in ids}
    rows: list[dict[str, Any]] = []
    try:
        with closing(on_each(opened, named, act)) as each:
            for done in each:
                rows.append(done.row)
                if output == "table":
                    print_text(f"{_title(done.machine, done.name)}: {done.line}\n")
    finally:
        if output != "table":
            print_result(output, lambda: rows, str)
        if len(rows) < len(named) > 1:
            left = f"{len(rows)} of {len(named)} machines are done; the same command does all of them"
            print(f"matchboxctl: {left}", file=sys.stderr)


def _title(machine: Identities, text: str) -> str:
    """The machine's id, and its other identities if the text was the beginning of one."""
    title, *others = (shown(one) for one in machine if one)
    is_whole = not set(identity(text).keys).isdisjoint(machine.keys)
    return title if is_whole or not others else f"{title} ({', '.join(others)})"


def _changed(
    opened: OpenedStores,
    machine: Identities,
    machine_id: str,
    change: Change,
    named: Group | None = None,
    *,
    for_a_group: bool = False,
) -> tuple[dict[str, Any], str]:
    """Change the machine as one of the group that is named, or else of the one that its identities select.

    Raises DocumentError if the change is `for_a_group`, which cannot be read.
    """
    group, note = named, ""
    if group is None:
        try:
            selection = opened.selection({}, machine)
        except DocumentError as error:
            if for_a_group:
                raise
            note = f" ({shown(str(error))})"
        else:
            group = None if selection is None else selection.group
            note = "" if group is not None and group.boot is not None else f" ({_selected(group)})"
    for _ in range(_ATTEMPTS):
        before = opened.machines.read(machine.keys[0])
        now = int(time.time())
        # No boot id comes back: tokens from before a machine was forgotten stay ended.
        after = change(before or MachineState(machine, boot=secrets.token_hex(8)), group, now)
        try:
            if after != before:
                opened.machines.write(before, after)
        except ChangedError:
            continue
        line = _what_changed(*(state_in(group, state, now) for state in (before, after)), same=after == before)
        if before is None or before.approved_for != after.approved_for or before.approved != after.approved:
            line += f", approved for {_approved_for(after)}" if after.approved else ""
        if after.armed_until > now:
            line += f", armed until {rfc3339(after.armed_until)}"
        return machine_facts(after.identities, after, group, now), line + note
    raise FailedError(f"{shown(machine_id)}: its state keeps changing; run the same command again")


def _selected(group: Group | None) -> str:
    selected = "no group" if group is None else f"group {group.id}, which has no boot policy"
    return f"its identities alone select {shown(selected)}"


def _approved_for(state: MachineState) -> str:
    return f"group {shown(state.approved_for)}" if state.approved_for else "whatever group selects it"


def _what_changed(before: StateName, after: StateName, *, same: bool) -> str:
    if same:
        return f"{after}, as before"
    return f"{before} -> {after}" if before != after else f"still {after}"


def _forgotten(
    opened: OpenedStores, machine: Identities, machine_id: str, *, state: bool
) -> tuple[dict[str, Any], str]:
    known, now = opened.machines.read(machine.keys[0]), int(time.time())
    group, note = None, ""
    try:
        selection = opened.selection({}, machine)
    except DocumentError as error:
        note = f" ({shown(str(error))})"
    else:
        group = None if selection is None else selection.group
    before = state_in(group, known, now)
    if known is None:
        line = f"{before}, as before: nobody acted on it"
    elif not state:
        line = f"{before}, as before; with --state it is forgotten and installs again"
    else:
        try:
            opened.machines.delete(known)
        except ChangedError as error:
            raise FailedError(f"{shown(machine_id)}: its state has just changed; run the same command again") from error
        known, after = None, state_in(group, None, now)
        waits = ", once it is approved" if after == "waiting" else ""
        line = f"{before} -> {after}; it installs again at its next network boot{waits}"
    if opened.history.forget(machine):
        line = f"its history is deleted; {line}"
    return machine_facts(machine, known, group, now), line + note
