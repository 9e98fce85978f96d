"""The start page: every machine, those that need an operator first."""

import re
import time
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from aiohttp import web

from lambda_matchbox.machines.history import Record
from lambda_matchbox.machines.history_stores import Wanted
from lambda_matchbox.machines.identities import MAX_KEY
from lambda_matchbox.machines.state import STATES
from matchboxctl.console.console import CONSOLE, Console
from matchboxctl.console.counts import Counts, Numbers
from matchboxctl.console.templates import page
from matchboxctl.machines.event_texts import event_text
from matchboxctl.machines.listing import Listed, listed
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

    `left_out` are in another state than after their last
    event, for which the list has them.
    """

    counts: Numbers
    first: Mapping[str, Sequence[Mapping[str, Any]]]
    rows: Sequence[Mapping[str, Any]]
    cursor: str
    found: Found | None = None
    left_out: int = 0


def _machines(wish: Wish, counts: Counts, opened: OpenedStores) -> Machines:
    if wish.text:
        found = search(opened, wish.text, ROWS, wish.cursor)
        rows = [row_of(record, row) for record, row in zip(found.records, Rows(opened).of(found.records), strict=True)]
        return Machines(counts.of(opened), {}, rows, found.cursor, found)
    first, others = _read(wish, opened)
    sections = {state: _rows(some) for state, some in first.items()}
    above = {row["key"] for rows in sections.values() for row in rows}
    rows = [row for row in _rows(others) if row["key"] not in above]
    return Machines(counts.of(opened), sections, rows, others.cursor, left_out=others.left_out)


def _read(wish: Wish, opened: OpenedStores) -> tuple[Mapping[str, Listed], Listed]:
    first = {state: listed(opened, Wanted(state), _FIRST) for state in _NEEDS} if wish.is_start else {}
    return first, listed(opened, Wanted(wish.state, wish.group), ROWS, wish.cursor)


def _rows(page: Listed) -> list[dict[str, Any]]:
    return [row_of(record, row) for record, row in page.found]


def row_of(record: Record, row: Mapping[str, Any]) -> dict[str, Any]:
    """The row of a machine as the page shows it."""
    event = "" if record.newest is None else event_text(record.newest)
    return {**row, "event": event, "key": record.identities.keys[0], "seen": record.last_seen}


async def read_first(console: Console) -> None:
    """Read what the start page shows, but for the numbers of machines. Raises CommandError or MatchboxError."""
    await console.stores.run(partial(_read, Wish()))


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
    sent = request.query.getall("key", ())[:_MOST_LIVE]
    keys = dict.fromkeys(key for key in sent if 0 < len(key.encode(errors="replace")) <= MAX_KEY)
    since = request.query.get("since", "")
    moment = int(since) if re.fullmatch("[0-9]{1,15}", since) else _now()
    work = partial(_live, wish, keys, moment, console.counts)
    rows, new, counts = (await console.stores.run(work)).value
    return page(request, "machines_live.html", wish=wish, rows=rows, new=new, counts=counts, states=STATES, most=ROWS)


def _live(
    wish: Wish, keys: Collection[str], since: int, counts: Counts, opened: OpenedStores
) -> tuple[list[dict[str, Any]], int, Numbers]:
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
