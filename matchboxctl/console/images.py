"""The image sources of a console's store, and the syncs that it began."""

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from aiohttp import web

from lambda_matchbox.errors import MatchboxError
from lambda_matchbox.image_sync.sources import SourceStores
from matchboxctl.cli.errors import CommandError
from matchboxctl.console.store_threads import StoreThreads
from matchboxctl.machines.opened_stores import once
from matchboxctl.releases.source_stores import source_stores
from matchboxctl.releases.sync import sync_one
from matchboxctl.releases.sync_report import SyncReport
from matchboxctl.store.mode import StoreSettings

_Result = TypeVar("_Result")


@dataclass
class Run:
    """A sync: the bytes of the download, what was said, and when it began and ended, in milliseconds since 1970."""

    began: int
    ended: int = 0
    total: int = 0
    done: int = 0
    lines: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def begin(self, total: int) -> None:
        """A download of at most so many bytes begins."""
        self.total, self.done = total, 0

    def add(self, count: int) -> None:
        """More bytes have arrived."""
        self.done += count

    def end(self) -> None:
        """The download has ended."""


class Images:
    """The sources and releases, and the last sync of each source that was begun here."""

    def __init__(self, store: StoreSettings | Path, threads: StoreThreads) -> None:
        self._threads = threads
        self._stores = once(partial(source_stores, store))
        self._tasks: set[asyncio.Task[None]] = set()
        self.runs: dict[str, Run] = {}

    async def read(self, work: Callable[[SourceStores], _Result]) -> _Result:
        """What work finds or does. Raises CommandError or MatchboxError."""
        return await self._threads.beside(lambda: work(self._stores()))

    def begin(self, source_id: str) -> None:
        """Begin to sync the source; its run has what becomes of it."""
        run = self.runs[source_id] = Run(_now())
        self._tasks.add(task := asyncio.create_task(self._sync(source_id, run)))
        task.add_done_callback(self._tasks.discard)

    async def _sync(self, source_id: str, run: Run) -> None:
        def work(stores: SourceStores) -> None:
            report = SyncReport("table", run.lines.append)
            sync_one(stores, source_id, os.environ, report, run.errors.append, lambda _, __: run)

        try:
            await self.read(work)
        except (CommandError, MatchboxError) as error:
            run.errors.append(str(error))
        finally:
            run.ended = _now()

    def runs_now(self, source_id: str) -> bool:
        """Whether a sync of the source that was begun here goes on."""
        return source_id in self.runs and not self.runs[source_id].ended


def _now() -> int:
    return time.time_ns() // 1_000_000


IMAGES = web.AppKey("images", Images)
