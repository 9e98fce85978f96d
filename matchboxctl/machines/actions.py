"""`matchboxctl machine approve`, `arm`, `hold`, `unhold` and `forget`."""

import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any

from lambda_matchbox.machines.state import MachineState, approved, armed, held, state_name, unheld
from lambda_matchbox.machines.stores import ChangedError
from matchboxctl.cli.errors import FailedError, UsageError
from matchboxctl.cli.output import print_result
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


def forget(opened: OpenedStores, ids: Sequence[str], *, state: bool) -> None:
    """Forget the machines' states, which are kept unless `state`. Raises CommandError."""
    if not state:
        raise UsageError("a machine's state is kept unless --state is given: without it the machine installs again")
    for machine_id in ids:
        machine, known = opened.named(machine_id)
        if known is None:
            print(f"{shown(machine_id)}: nothing is known of it")
            continue
        try:
            opened.machines.delete(known)
        except ChangedError as error:
            raise FailedError(f"{shown(machine_id)}: its state has just changed; run the same command again") from error
        print(f"{shown(machine.keys[0])}: forgotten; it installs again at its next network boot", flush=True)


def _change(opened: OpenedStores, ids: Sequence[str], change: Change, output: str) -> None:
    rows: list[dict[str, Any]] = []
    lines: list[str] = []
    for machine_id in dict.fromkeys(ids):
        row, line = _changed(opened, machine_id, change)
        rows.append(row)
        lines.append(line)
    print_result(output, lambda: rows, lambda: "".join(f"{line}\n" for line in lines))


def _changed(opened: OpenedStores, machine_id: str, change: Change) -> tuple[dict[str, Any], str]:
    for _ in range(_ATTEMPTS):
        machine, before = opened.named(machine_id)
        now = int(time.time())
        after = change(before or MachineState(machine), now)
        try:
            if after != before:
                opened.machines.write(before, after)
        except ChangedError:
            continue
        selection = opened.selection({}, machine)
        policy = None if selection is None else selection.group.boot
        names = [state_name(state, policy, now) for state in (before, after)]
        until = f", until {rfc3339(after.armed_until)}" if after.armed_until > now else ""
        line = f"{shown(machine.keys[0].partition(':')[2])}: {names[0]} -> {names[1]}{until}"
        if policy is None:
            where = "in no group" if selection is None else f"in group {selection.group.id}, which has no boot policy"
            line += f" (without effect: it is {shown(where)})"
        return machine_facts(machine, after, selection, now), line
    raise FailedError(f"{shown(machine_id)}: its state keeps changing; run the same command again")
