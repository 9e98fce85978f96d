"""The start page: every machine, those that need an operator first."""

import time
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from aiohttp import web

from lambda_matchbox.machines.history import Record
from lambda_matchbox.machines.history_stores import Wanted
from lambda_matchbox.machines.state import STATES
from matchboxctl.console.console import CONSOLE
from matchboxctl.console.counts import Counts
from matchboxctl.console.templates import page
from matchboxctl.machines.event_texts import event_text
from matchboxctl.machines.listing import listed
from matchboxctl.machines.opened_stores import OpenedStores
from matchboxctl.machines.rows import Rows
from matchboxctl.machines.search import Found, search

ROWS = 50
"""Of a page."""

_FIRST = 10
"""Of a state that needs an operator, above all others."""

_NEEDS = ("waiting", "unknown")
_MOST_LIVE = 100


class Wish(NamedTuple):
    """Which machines a page shows."""

    state: str = ""
    group: str | None = None
    text: str = ""
    cursor: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Wish":
        """The wish in a query."""
        state = query.get("state", "")
        group = query.get("group")
        return cls(state if state in STATES else "", group, query.get("q", "").strip(), query.get("cursor", ""))

    @property
    def is_start(self) -> bool:
        """Whether it is that of the start page."""
        return self == Wish()

    def query(self, **changes: str) -> dict[str, str]:
        """The query of the wish with these changes, at its first page."""
        wish = self._replace(cursor="")._replace(**changes)
        fields = {"state": wish.state, "group": wish.group, "q": wish.text, "cursor": wish.cursor}
        return {name: value for name, value in fields.items() if value or (name == "group" and value is not None)}


class Machines(NamedTuple):
    """What the page shows: sections of rows, the number of machines by state, and the cursor of the next page.

    The numbers are None where the store does not count so many.
    """

    counts: Mapping[str, int] | None
    first: Mapping[str, Sequence[Mapping[str, Any]]]
    rows: Sequence[Mapping[str, Any]]
    cursor: str
    found: Found | None


def _machines(wish: Wish, counts: Counts, opened: OpenedStores) -> Machines:
    if wish.text:
        found = search(opened, wish.text, ROWS, wish.cursor)
        rows = [row_of(record, row) for record, row in zip(found.records, Rows(opened).of(found.records), strict=True)]
        return Machines(counts.of(opened), {}, rows, found.cursor, found)
    first: dict[str, Sequence[Mapping[str, Any]]] = {}
    if wish.is_start:
        first = {state: _rows(opened, Wanted(state), _FIRST)[0] for state in _NEEDS}
    rows, cursor = _rows(opened, Wanted(wish.state, wish.group), ROWS, wish.cursor)
    above = {row["id"] for some in first.values() for row in some}
    return Machines(counts.of(opened), first, [row for row in rows if row["id"] not in above], cursor, None)


def _rows(opened: OpenedStores, wanted: Wanted, limit: int, cursor: str = "") -> tuple[list[dict[str, Any]], str]:
    found = listed(opened, wanted, limit, cursor)
    return [row_of(*pair) for pair in found.found], found.cursor


def row_of(record: Record, row: Mapping[str, Any]) -> dict[str, Any]:
    """The row of a machine as the page shows it."""
    newest = record.newest
    event = (
        {"event": "", "event_time": 0} if newest is None else {"event": event_text(newest), "event_time": newest.time}
    )
    return {**row, **event, "key": record.identities.keys[0], "seen": record.last_seen}


async def machines(request: web.Request) -> web.Response:
    """The page."""
    console, wish = request.app[CONSOLE], Wish.of(request.query)
    found = await console.stores.run(partial(_machines, wish, console.counts))
    return page(
        request,
        "machines.html",
        warnings=found.warnings,
        wish=wish,
        machines=found.value,
        states=STATES,
        now=_now(),
        most=ROWS,
    )


async def live(request: web.Request) -> web.Response:
    """What changed on the page: its rows as they are now, and how many machines are not on it."""
    console, wish = request.app[CONSOLE], Wish.of(request.query)
    keys = dict.fromkeys(request.query.getall("key", ())[:_MOST_LIVE])
    since = request.query.get("since", "")
    work = partial(_live, wish, keys, int(since) if since.isdecimal() else _now(), console.counts)
    rows, new, counts = (await console.stores.run(work)).value
    return page(request, "machines_live.html", wish=wish, rows=rows, new=new, counts=counts, states=STATES, most=ROWS)


def _live(
    wish: Wish, keys: Collection[str], since: int, counts: Counts, opened: OpenedStores
) -> tuple[list[dict[str, Any]], int, Mapping[str, int] | None]:
    with opened.history.required() as history:
        records = history.machines(keys)
        come: Sequence[Record] = ()
        if not wish.text and not wish.cursor:
            come = history.page(Wanted(wish.state, wish.group, since), ROWS).records
    rows = [row_of(record, row) for record, row in zip(records, Rows(opened).of(records), strict=True)]
    new = sum(record.identities.keys[0] not in keys for record in come)
    return rows, new, counts.of(opened)


def _now() -> int:
    return time.time_ns() // 1_000_000


ROUTES = (web.get("/", machines), web.get("/live/machines", live))
