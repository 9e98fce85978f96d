"""What a console checks beside its pages, which may take long: each result is kept a short while, with its time."""

import asyncio
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from aiohttp import web

from lambda_matchbox.errors import MatchboxError
from matchboxctl.cli.errors import CommandError
from matchboxctl.console.child import Runner
from matchboxctl.console.store_threads import StoreThreads
from matchboxctl.machines.last_errors import LastErrors, last_errors
from matchboxctl.machines.opened_stores import opened_stores
from matchboxctl.releases.source_stores import stores_in_directory, stores_in_table
from matchboxctl.releases.sync_ages import SyncAges, sync_ages
from matchboxctl.store.advice import advice_on
from matchboxctl.store.mode import StoreSettings
from matchboxctl.validate.overview import Overview, overview

if TYPE_CHECKING:
    from lambda_matchbox.aws.fsck.rules import Finding as StoreFinding

_KEPT = 10.0
_KEPT_OF_ALL = 60.0
"""What reads every document."""

_TIMES = 10.0
"""How many times as long as it took a result is kept, if that is longer."""

_Found = TypeVar("_Found")


class Checked(NamedTuple, Generic[_Found]):
    """What the last run found, or the error that ended it.

    `ended` is when, `began` when the one began that runs now, both in milliseconds since 1970, or 0.
    """

    found: _Found | None = None
    error: str = ""
    ended: int = 0
    seconds: float = 0.0
    began: int = 0


class Check(Generic[_Found]):
    """Work that runs once at a time, beside the stores' threads; its result is kept for so many seconds."""

    def __init__(self, run: Runner, kept_seconds: float, work: Callable[[], _Found]) -> None:
        self._runner = run
        self._kept = kept_seconds
        self._work = work
        self._until = 0.0
        self._task: asyncio.Task[None] | None = None
        self.last = Checked[_Found]()

    async def fresh(self, wait_seconds: float) -> None:
        """Begin a run if the last result is old, and wait a while for the one that runs."""
        if self._task is None and time.monotonic() >= self._until:
            self.last = self.last._replace(began=_now())
            self._task = asyncio.create_task(self._run())
        if self._task is not None:
            await asyncio.wait([self._task], timeout=wait_seconds)

    async def _run(self) -> None:
        began, start = self.last.began, time.monotonic()
        found, error = None, ""
        try:
            found = await self._runner(self._work)
        except (CommandError, MatchboxError) as reason:
            error = str(reason)
        except Exception:  # noqa: BLE001 (the page says so, and the next run may end well)
            traceback.print_exc(file=sys.stderr)
            error = "this console has a fault: see its standard error"
        seconds = time.monotonic() - start
        self.last = Checked(found, error, began + int(seconds * 1000), seconds)
        self._until = time.monotonic() + max(self._kept, _TIMES * seconds)
        self._task = None

    async def close(self) -> None:
        """Leave the run that is under way."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task


class Checks(NamedTuple):
    """The checks of a console; a data directory has nothing for fsck."""

    validation: Check[Overview]
    fsck: Check[Sequence["StoreFinding"]] | None
    syncs: Check[SyncAges]
    errors: Check[LastErrors]

    async def fresh(self, wait_seconds: float) -> None:
        """Begin all whose last result is old, and wait a while for them."""
        await asyncio.gather(*(check.fresh(wait_seconds) for check in self._all()))

    async def close(self) -> None:
        """Leave the runs that are under way."""
        await asyncio.gather(*(check.close() for check in self._all()))

    def _all(self) -> Iterator[Check[Any]]:
        return (check for check in self if isinstance(check, Check))


CHECKS = web.AppKey("checks", Checks)


def checks(stores: StoreThreads, store: StoreSettings | Path, apart: Runner) -> Checks:
    """The checks of the store; those that read every document are run by `apart`."""
    kept = _KEPT if isinstance(store, Path) else _KEPT_OF_ALL
    return Checks(
        Check(apart, kept, partial(_overview, store)),
        None if isinstance(store, Path) else Check(apart, _KEPT_OF_ALL, partial(_fsck, store)),
        Check(stores.beside, _KEPT, partial(_syncs, store)),
        Check(stores.beside, _KEPT, partial(_errors, store)),
    )


def _overview(store: StoreSettings | Path) -> Overview:
    with advice_on(store):
        return overview(store)


def _fsck(store: StoreSettings) -> Sequence["StoreFinding"]:
    from matchboxctl.store.fsck import found_in_table

    with advice_on(store):
        return list(found_in_table(store))


def _syncs(store: StoreSettings | Path) -> SyncAges:
    if isinstance(store, Path):
        return sync_ages(stores_in_directory(store))
    from matchboxctl.store.advice import advising_on

    with advising_on(store):
        return sync_ages(stores_in_table(store))


def _errors(store: StoreSettings | Path) -> LastErrors:
    with opened_stores(store) as opened, opened.advising():
        return last_errors(opened, _now())


def _now() -> int:
    return time.time_ns() // 1_000_000
