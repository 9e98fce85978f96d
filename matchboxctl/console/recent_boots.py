"""The boots that the page of boots shows: read beside it, in parts, and kept a while."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

from aiohttp import web

from matchboxctl.console.store_threads import StoreThreads
from matchboxctl.machines.boot_facts import BootFacts
from matchboxctl.machines.boot_figures import SPANS, Span
from matchboxctl.machines.recent_boots import recent_boots, recent_machines

_AT_ONCE = 50
"""Machines, before others have their turn at the stores."""

_MOST_BOOTS = 20_000
_TIMES = 10.0


class Recent(NamedTuple):
    """Boots of so many machines, read at a time, and since when they are all; 0 if they are all that there are.

    Others follow unless `is_whole`.
    """

    boots: Sequence[BootFacts]
    machines: int
    known_since: int
    warnings: Sequence[str]
    time: int
    is_whole: bool


class RecentBoots:
    """The boots of a span until now, read anew after ten times as long as it took."""

    def __init__(self, stores: StoreThreads, span: Span) -> None:
        self._stores = stores
        self._span = span
        self._reading: asyncio.Task[None] | None = None
        self._until = 0.0
        self._recent = Recent((), 0, _now(), (), _now(), is_whole=False)

    async def of_now(self, wait_seconds: float) -> Recent:
        """Begin to read if it is time, wait a while, and return what is there. Raises CommandError or MatchboxError."""
        if self._reading is None and time.monotonic() >= self._until:
            self._reading = asyncio.create_task(self._read())
        return await self.so_far(wait_seconds)

    async def so_far(self, wait_seconds: float = 0) -> Recent:
        """What is there: from before, or in parts the first time. Raises CommandError or MatchboxError."""
        if (reading := self._reading) is not None:
            await asyncio.wait([reading], timeout=wait_seconds)
            if reading.done():
                self._reading = None if reading is self._reading else self._reading
                reading.result()
        return self._recent

    async def _read(self) -> None:
        start, now = time.monotonic(), _now()
        since = self._span.since(now)
        # A profile tells what its boots lack.
        await self._stores.ready()
        page = await self._stores.run(partial(recent_machines, since))
        records, warnings = page.value.records, page.warnings
        boots: list[BootFacts] = []
        read = 0
        while read < len(records) and len(boots) < _MOST_BOOTS:
            part = await self._stores.run(partial(recent_boots, records[read : read + _AT_ONCE], since, now))
            boots += part.value
            warnings = [*dict.fromkeys([*warnings, *part.warnings])]
            read = min(read + _AT_ONCE, len(records))
            if not self._recent.is_whole:
                # Nothing has happened to the others since.
                self._recent = Recent([*boots], read, records[read - 1].last_event, warnings, now, is_whole=False)
        is_all = read == len(records) and not page.value.cursor
        self._recent = Recent(boots, read, 0 if is_all else records[read - 1].last_event, warnings, now, is_whole=True)
        self._until = time.monotonic() + _TIMES * (time.monotonic() - start)

    async def close(self) -> None:
        """Leave what is being read."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)


BOOTS = web.AppKey("boots", Mapping[str, RecentBoots])


def boots_of_spans(stores: StoreThreads) -> Mapping[str, RecentBoots]:
    """The boots of each span, by its name."""
    return {name: RecentBoots(stores, span) for name, span in SPANS.items()}


def _now() -> int:
    return time.time_ns() // 1_000_000
