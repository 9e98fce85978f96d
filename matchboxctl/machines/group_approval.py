"""`matchboxctl machine approve --group G --all`: every machine of a group that waits."""

import sys
from collections.abc import Iterator
from typing import Any

from lambda_matchbox.aws.parallel import in_parallel
from lambda_matchbox.machines.history_stores import History, Wanted
from lambda_matchbox.machines.identities import identity
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
    history, act = opened.history.required(), approval(opened, group_id)
    done: dict[str, tuple[dict[str, Any], str]] = {}

    def approve(machine_id: str) -> None:
        done[machine_id] = act(identity(machine_id), machine_id)

    rows: list[dict[str, Any]] = []
    try:
        with recorded(opened, "approve") as record, Progress("approving", 0, "machines") as progress:
            for ids in _waiting(history, Rows(opened), group_id):
                for machine_id in in_parallel(approve, ids):
                    row, line = done.pop(machine_id)
                    rows.append(row)
                    record.add(row, line)
                    if output == "table":
                        with bars_hidden():
                            print_text(f"{shown(machine_id)}: {line}\n")
                    progress.add(1)
    finally:
        if output != "table":
            print_result(output, lambda: rows, str)
        print(f"matchboxctl: {counted(len(rows), 'machine')} of group {shown(group_id)} approved", file=sys.stderr)


def _waiting(history: History, rows: Rows, group_id: str) -> Iterator[list[str]]:
    """The ids of the machines that wait, by pages."""
    cursor = ""
    while True:
        page = history.page(Wanted("waiting", group_id), _PAGE, cursor)
        yield [row["id"] for row in rows.of(page.records) if row["state"] == "waiting"]
        if not (cursor := page.cursor):
            return
