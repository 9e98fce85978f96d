"""`matchboxctl machine list`."""

import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from lambda_matchbox.machines.history import Record
from lambda_matchbox.machines.history_stores import CursorError, Wanted
from matchboxctl.cli.errors import UsageError
from matchboxctl.cli.names import did_you_mean
from matchboxctl.cli.output import print_result
from matchboxctl.cli.plurals import counted
from matchboxctl.cli.tables import table
from matchboxctl.machines.event_texts import age, event_name
from matchboxctl.machines.opened_stores import OpenedStores
from matchboxctl.machines.rows import Rows

_HEAD = ("ID", "STATE", "GROUP", "ADDRESS", "SEEN", "LAST EVENT")
_MORE = ("profile", "release", "hostname", "arch", "uuid", "serial", "first_seen", "last_seen")


def list_machines(
    opened: OpenedStores, wanted: Wanted, limit: int, cursor: str, output: str, *, with_cursor: bool
) -> None:
    """Print a page of machines. Raises CommandError."""
    page = listed(opened, wanted, limit, cursor)
    rows = [row for _, row in page.found]
    document = {"machines": rows, "cursor": page.cursor or None} if with_cursor else rows
    print_result(output, lambda: document, lambda: _table(page.found, is_wide=output == "wide"))
    for note in _notes(opened, wanted, page, cursor):
        print(f"note: {note}", file=sys.stderr)


class Listed(NamedTuple):
    """Machines with their rows, the cursor of the next page, and how many were left out."""

    found: Sequence[tuple[Record, Mapping[str, Any]]]
    cursor: str
    left_out: int


def listed(opened: OpenedStores, wanted: Wanted, limit: int, cursor: str = "") -> Listed:
    """A page of machines with their states of this moment. Raises CommandError."""
    try:
        with opened.history.required() as history:
            page = history.page(wanted, limit, cursor)
    except CursorError as error:
        raise UsageError(str(error)) from error
    rows = Rows(opened).of(page.records)
    found = [(record, row) for record, row in zip(page.records, rows, strict=True) if _is_wanted(row, wanted)]
    return Listed(found, page.cursor, len(rows) - len(found))


def _is_wanted(row: Mapping[str, Any], wanted: Wanted) -> bool:
    # The history's states are those after the last events; the row has that of this moment.
    return not wanted.state or row["state"] == wanted.state


def _notes(opened: OpenedStores, wanted: Wanted, page: Listed, cursor: str) -> list[str]:
    is_empty = not page.found and not page.left_out
    if is_empty and not cursor and not any((wanted.state, wanted.since, wanted.group is not None)):
        return ["no machine was seen yet: each one that asks this server is listed"]
    notes = []
    if is_empty and wanted.group and opened.group(wanted.group) is None:
        alike = did_you_mean(wanted.group, lambda: (group.id for group in opened.groups()))
        notes.append(f"there is no group {wanted.group!r}{alike}")
    if page.left_out:
        notes.append(f"{counted(page.left_out, 'machine')} left out: no longer {wanted.state} since the last event")
    if page.cursor:
        notes.append(f"there are more: --cursor {page.cursor}")
    return notes


def _table(found: Sequence[tuple[Record, Mapping[str, Any]]], *, is_wide: bool) -> str:
    now = time.time_ns() // 1_000_000
    more = _MORE if is_wide else ()
    rows = []
    for record, row in found:
        name = "" if record.newest is None else event_name(record.newest)
        seen = age(record.last_seen, now)
        cells = [row["id"], row["state"], row["group"], row["address"], seen, name, *(row[each] for each in more)]
        rows.append([cell or "" for cell in cells])
    return table([*_HEAD, *(name.replace("_", " ").upper() for name in more)], rows)
