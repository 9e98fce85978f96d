"""`matchboxctl machine approve`, `arm`, `hold`, `unhold` and `forget`."""

import secrets
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from lambda_matchbox.machines.identities import Identities
from lambda_matchbox.machines.state import MachineState, StateName, approved, armed, held, state_name, unheld
from lambda_matchbox.machines.stores import ChangedError
from matchboxctl.cli.errors import FailedError
from matchboxctl.cli.output import print_result, print_text
from matchboxctl.cli.tables import shown
from matchboxctl.machines.facts import machine_facts, rfc3339
from matchboxctl.machines.opened_stores import OpenedStores

Change = Callable[[MachineState, int], MachineState]

_ATTEMPTS = 5


def approve(opened: OpenedStores, ids: Sequence[str], output: str) -> None:
    """Let the machines install. Raises CommandError."""
    _change(opened, ids, approved, output)


def arm(opened: OpenedStores, ids: Sequence[str], seconds: int, output: str) -> None:
    """Let the machines install at their next boot, within that time. Raises CommandError."""
    _change(opened, ids, lambda state, now: armed(state, now + seconds, secrets.token_hex(8)), output)


def hold(opened: OpenedStores, ids: Sequence[str], output: str) -> None:
    """Give the machines nothing. Raises CommandError."""
    _change(opened, ids, held, output)


def unhold(opened: OpenedStores, ids: Sequence[str], output: str) -> None:
    """Answer the machines again. Raises CommandError."""
    _change(opened, ids, lambda state, _: unheld(state, secrets.token_hex(8)), output)


def forget(opened: OpenedStores, ids: Sequence[str], output: str, *, state: bool) -> None:
    """Delete the machines' states, which are kept unless `state`. Raises CommandError."""
    _each(opened, ids, output, partial(_forgotten, state=state))


def _change(opened: OpenedStores, ids: Sequence[str], change: Change, output: str) -> None:
    _each(opened, ids, output, partial(_changed, change=change))


def _each(
    opened: OpenedStores, ids: Sequence[str], output: str, act: Callable[..., tuple[dict[str, Any], str]]
) -> None:
    """Act on each machine, and print what was done to it, also if the next fails."""
    # All names are good before the first machine changes.
    named = {opened.named(machine_id)[0]: machine_id for machine_id in ids}
    rows: list[dict[str, Any]] = []
    try:
        for machine, machine_id in named.items():
            row, line = act(opened, machine, machine_id)
            rows.append(row)
            if output == "table":
                print_text(f"{shown(row['id'])}: {line}\n")
    finally:
        if output != "table":
            print_result(output, lambda: rows, str)
        if len(rows) < len(named) > 1:
            left = f"{len(rows)} of {len(named)} machines are done; the same command does all of them"
            print(f"matchboxctl: {left}", file=sys.stderr)


def _changed(opened: OpenedStores, machine: Identities, machine_id: str, change: Change) -> tuple[dict[str, Any], str]:
    for _ in range(_ATTEMPTS):
        before = opened.machines.read(machine.keys[0])
        now = int(time.time())
        # No boot id comes back: tokens from before a machine was forgotten stay ended.
        after = change(before or MachineState(machine, boot=secrets.token_hex(8)), now)
        try:
            if after != before:
                opened.machines.write(before, after)
        except ChangedError:
            continue
        selection = opened.selection({}, after.identities)
        policy = None if selection is None else selection.group.boot
        line = _what_changed(*(state_name(state, policy, now) for state in (before, after)), same=after == before)
        if after.armed_until > now:
            line += f", armed until {rfc3339(after.armed_until)}"
        if policy is None:
            group = "no group" if selection is None else f"group {selection.group.id}, which has no boot policy"
            line += f" (its identities alone select {shown(group)})"
        return machine_facts(after.identities, after, selection, now), line
    raise FailedError(f"{shown(machine_id)}: its state keeps changing; run the same command again")


def _what_changed(before: StateName, after: StateName, *, same: bool) -> str:
    if same:
        return f"{after}, as before"
    return f"{before} -> {after}" if before != after else f"still {after}"


def _forgotten(
    opened: OpenedStores, machine: Identities, machine_id: str, *, state: bool
) -> tuple[dict[str, Any], str]:
    known, now = opened.machines.read(machine.keys[0]), int(time.time())
    selection = opened.selection({}, machine)
    policy = None if selection is None else selection.group.boot
    before = state_name(known, policy, now)
    if known is None:
        return machine_facts(machine, None, selection, now), f"{before}, as before: nobody acted on it"
    if not state:
        kept = f"{before}, as before; with --state it is forgotten and installs again"
        return machine_facts(machine, known, selection, now), kept
    try:
        opened.machines.delete(known)
    except ChangedError as error:
        raise FailedError(f"{shown(machine_id)}: its state has just changed; run the same command again") from error
    after = state_name(None, policy, now)
    waits = ", once it is approved" if after == "waiting" else ""
    line = f"{before} -> {after}; it installs again at its next network boot{waits}"
    return machine_facts(machine, None, selection, now), line
