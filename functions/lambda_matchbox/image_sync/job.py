"""What one invocation does: the sources that are due, or the one that was asked for."""

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from aws_lambda_powertools import Logger

from lambda_matchbox.image_sync.metrics import NEVER, Figures
from lambda_matchbox.image_sync.sources import ImageSources, is_due
from lambda_matchbox.image_sync.sync import Sync, SyncError
from lambda_matchbox.image_sync.withdrawal import withdraw_replaced
from lambda_matchbox.oci.distribution.registry import Registry
from lambda_matchbox.releases.pointers import Pointers
from lambda_matchbox.releases.sources import Source
from lambda_matchbox.releases.store import BusyError, ReleaseStore

_TIME_LIMIT = 300.0  # seconds: an invocation ends after fifteen minutes


class SyncFailedError(Exception):
    """Some sources could not be synced; the message says which and why. The others were."""


class Report(NamedTuple):
    """The ids of sources, by what became of them."""

    changed: list[str]
    unchanged: list[str]
    held: list[str]
    busy: list[str]
    not_due: list[str]


class SyncJob:
    """Syncs sources one after the other, so that memory and disk are those of one image.

    They take turns at being first, and none may take all of an invocation's time: a registry that is slow or dead keeps
    no other source back for ever.

    `scratch` is the path of a directory for files under way, which is emptied; None for one of the system's.
    `publish` is told the figures of each source at each run, be it due or not.
    """

    def __init__(
        self,
        sources: Callable[[], ImageSources],
        store: Callable[[str], ReleaseStore],
        pointers: Callable[[], Pointers],
        registry: Registry,
        log: Logger,
        *,
        scratch: Path | None = None,
        publish: Callable[[Figures], None] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._sources = sources
        self._store = store
        self._pointers = pointers
        self._registry = registry
        self._log = log
        self._scratch = scratch
        self._publish = publish
        self._clock = clock

    def run(self, only: str | None) -> Report:
        """Sync the source `only`, due or not; without one all that are due.

        Raises SyncFailedError when all have been tried.
        """
        found = self._sources()
        for line in found.refused:
            self._log.error("source refused", extra={"reason": line})
        if found.refused:
            self._tell(Figures(failed=len(found.refused)))
        elif not found.sources:
            # Nothing is overdue, which is to be told apart from a function that does not run.
            self._tell(Figures(age=0.0))
        if only is not None and only not in found.sources:
            there = ", ".join(found.sources) or "none"
            raise SyncFailedError("; ".join([f"no source {only!r}; there are {there}", *found.refused]))
        report = Report([], [], [], [], [])
        failures = list(found.refused) if only is None else []
        sources = list(found.sources.values())
        random.shuffle(sources)
        for source in sources:
            store = self._store(source.id)
            checked = store.checked()
            figures = Figures(source.id)
            if source.id == only or (only is None and is_due(source, checked, self._clock())):
                figures = self._attempt(source, store, report, failures)
                self._withdraw_replaced(source, found.named)
            elif only is None:
                report.not_due.append(source.id)
            if figures.age is None and checked is not None:
                figures = figures._replace(age=(self._clock() - checked) / source.interval)
            elif figures.failed:
                figures = figures._replace(age=NEVER)
            self._tell(figures)
        if failures:
            raise SyncFailedError("; ".join(failures))
        return Report(*map(sorted, report))

    def _withdraw_replaced(self, source: Source, named: frozenset[str]) -> None:
        """Where the source has a release, take out of service what had its part of /assets/ and is named no longer."""
        pointers = self._pointers()
        if source.id in pointers:
            for other in withdraw_replaced(source, named, pointers, self._store):
                self._log.info("withdrawn", extra={"source": other, "replaced_by": source.id})

    def _tell(self, figures: Figures) -> None:
        if self._publish is not None:
            self._publish(figures)

    def _attempt(self, source: Source, store: ReleaseStore, report: Report, failures: list[str]) -> Figures:
        """Sync the source, and put what became of it into the report or the failures; an age is that of a success."""
        start = time.perf_counter()
        try:
            outcome = Sync(
                source, self._registry, store, scratch=self._scratch, clock=self._clock, time_limit=_TIME_LIMIT
            ).run()
        except BusyError:
            # The schedule and an operator at the same time: the other one ends with the same result.
            report.busy.append(source.id)
            return Figures(source.id)
        except SyncError as error:
            self._log.error("sync failed", extra={"source": source.id, "reason": str(error)})
            failures.append(str(error))
            return Figures(source.id, succeeded=0, failed=1, seconds=time.perf_counter() - start)
        seconds = time.perf_counter() - start
        done = report.changed if outcome.changed else report.held if outcome.held else report.unchanged
        done.append(source.id)
        self._log.info(
            "synced",
            extra={
                "source": source.id,
                "digest": outcome.digest,
                "changed": outcome.changed,
                "held": outcome.held,
                "seconds": round(seconds, 3),
            },
        )
        return Figures(source.id, age=0.0, succeeded=1, failed=0, seconds=seconds)
