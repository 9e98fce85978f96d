"""The documents of a console's store."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TypeVar

from aiohttp import web

from matchboxctl.console.store_threads import StoreThreads
from matchboxctl.documents.protocol import Documents
from matchboxctl.machines.opened_stores import once
from matchboxctl.resources.command import target_of
from matchboxctl.resources.reading import Entry, entries
from matchboxctl.store.mode import StoreSettings

WORDS: Mapping[str, str] = {"groups": "group", "profiles": "profile", "templates": "template"}
"""The kinds of documents that have pages."""

_TIMES = 10.0

_Result = TypeVar("_Result")


class Catalog:
    """The documents, and for a while the names of all."""

    def __init__(self, store: StoreSettings | Path, threads: StoreThreads) -> None:
        self._threads = threads
        self._documents = once(lambda: target_of("group", store).documents)
        self._entries: dict[str, tuple[float, list[Entry]]] = {}

    async def entries(self, kind: str) -> list[Entry]:
        """All of that kind in their order, read anew after ten times as long as it took.

        Raises CommandError or MatchboxError.
        """
        until, found = self._entries.get(kind, (0.0, []))
        if (began := time.monotonic()) >= until:
            # Not both in memory: there may be 100,000 of them.
            self._entries.pop(kind, None)
            found = []
            found = await self.read(partial(_entries, kind))
            took = time.monotonic() - began
            self._entries[kind] = began + took + _TIMES * took, found
        return found

    async def read(self, work: Callable[[Documents], _Result]) -> _Result:
        """What work finds in the documents. Raises CommandError or MatchboxError."""
        return await self._threads.beside(lambda: work(self._documents()))


def _entries(kind: str, documents: Documents) -> list[Entry]:
    return entries(documents, kind)


CATALOG = web.AppKey("catalog", Catalog)
