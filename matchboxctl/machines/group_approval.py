"""`matchboxctl machine approve --group G --all`: every machine of a group that waits."""

import sys
from collections.abc import Iterator
from typing import Any

from lambda_matchbox.aws.parallel import in_parallel
from lambda_matchbox.machines.history_stores import Wanted
from lambda_matchbox.machines.identities import Identities, identity_of
from matchboxctl.cli.output import print_result, print_text
from matchboxctl.cli.plurals import counted
from matchboxctl.cli.progress import Progress, bars_hidden
from matchboxctl.cli.tables import shown
from matchboxctl.machines.actions import approval
from matchboxctl.machines.opened_stores import OpenedStores
from matchboxctl.machines.operators import recorded
from matchboxctl.machines.rows import Rows

_PAGE = 200


def approve_waiting(opened: OpenedStores, group_id: str, output: str) -> None:
    """Approve the machines that wait in the group. Raises CommandError."""
    act = approval(opened, group_id)
    done: dict[Identities, tuple[dict[str, Any], str]] = {}

    def approve(machine: Identities) -> None:
        done[machine] = act.action(machine, *filter(None, machine))

    rows: list[dict[str, Any]] = []

    def report(machine: Identities) -> None:
        row, line = done.pop(machine)
        rows.append(row)
        record.add(row, line)
        if output == "table":
            with bars_hidden():
                print_text(f"{shown(row['id'])}: {line}\n")

    try:
        with recorded(opened, "approve") as record, Progress("approving", 0, "machines") as progress:
            try:
                for machines in _waiting(opened, group_id):
                    for machine in in_parallel(approve, machines):
                        report(machine)
                        progress.add(1)
            finally:
                # Those that were under way at an interruption.
                for machine in [*done]:
                    report(machine)
    finally:
        if output != "table":
            print_result(output, lambda: rows, str)
        if rows or sys.exc_info()[0] is None:
            print(f"matchboxctl: {counted(len(rows), 'machine')} of group {shown(group_id)} approved", file=sys.stderr)


def _waiting(opened: OpenedStores, group_id: str) -> Iterator[list[Identities]]:
    """The machines that wait, by pages, each with the identity that names it alone, as an operator would."""
    rows, known = Rows(opened), set[Identities]()
    cursor, are_new = "", False
    while True:
        with opened.history.required() as history:
            page = history.page(Wanted("waiting", group_id), _PAGE, cursor)
        found = zip(page.records, rows.of(page.records), strict=True)
        waiting = [identity_of(record.identities.keys[0]) for record, row in found if row["state"] == "waiting"]
        new = [machine for machine in waiting if machine not in known]
        known.update(new)
        yield new
        are_new |= bool(new)
        if not (cursor := page.cursor):
            if not are_new:
                return
            # Whoever asked meanwhile is in a page that was read before.
            are_new = False
