"""The page of all boots: how many and when, slow and failing steps, groups and releases."""

import time
from functools import partial
from typing import NamedTuple

from aiohttp import web

from matchboxctl.console.chart import chart
from matchboxctl.console.console import CONSOLE
from matchboxctl.console.store_threads import StoreThreads
from matchboxctl.console.templates import page
from matchboxctl.machines.boot_facts import BootFacts
from matchboxctl.machines.boot_figures import SPANS, figures
from matchboxctl.machines.recent_boots import recent_boots, recent_machines

_AT_ONCE = 50
"""Machines, before others have their turn at the stores."""

_MOST_BOOTS = 20_000


class Recent(NamedTuple):
    """Boots of so many machines, and since when they are all; 0 if they are all that there are."""

    boots: list[BootFacts]
    machines: int
    known_since: int
    warnings: list[str]


async def _recent(stores: StoreThreads, since: int, now: int) -> Recent:
    machines = await stores.run(partial(recent_machines, since))
    records, warnings = machines.value.records, machines.warnings
    boots: list[BootFacts] = []
    read = 0
    while read < len(records) and len(boots) < _MOST_BOOTS:
        part = await stores.run(partial(recent_boots, records[read : read + _AT_ONCE], since, now))
        boots += part.value
        warnings += part.warnings
        read = min(read + _AT_ONCE, len(records))
    is_all = read == len(records) and not machines.value.cursor
    # Nothing has happened to the others since.
    return Recent(boots, read, 0 if is_all else records[read - 1].last_event, [*dict.fromkeys(warnings)])


async def boots(request: web.Request) -> web.Response:
    """The page."""
    span = SPANS.get(request.query.get("last", ""), SPANS["day"])
    now = time.time_ns() // 1_000_000
    stores = request.app[CONSOLE].stores
    await stores.ready()
    recent = await _recent(stores, span.since(now), now)
    found = figures(recent.boots, span, now)
    return page(
        request,
        "boots.html",
        warnings=recent.warnings,
        span=span,
        spans=SPANS,
        now=now,
        recent=recent,
        figures=found,
        chart=chart(found, span, recent.known_since),
    )


ROUTES = (web.get("/boots", boots),)
