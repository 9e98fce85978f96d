"""The scheduled job: syncs all sources that are due, or one on request."""

import random
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, Protocol

from lambda_matchbox.errors import MatchboxError
from lambda_matchbox.image_sync.download import Downloads
from lambda_matchbox.image_sync.metrics import NEVER, SourceMetrics
from lambda_matchbox.image_sync.sources import ImageSources, SourceStores, is_due
from lambda_matchbox.image_sync.sync import Sync, SyncError
from lambda_matchbox.image_sync.unchanged import Known
from lambda_matchbox.image_sync.withdrawal import withdraw_replaced
from lambda_matchbox.oci.distribution.registry import Registry
from lambda_matchbox.releases.pointers import Pointer, Pointers
from lambda_matchbox.releases.records import ReleaseRecord
from lambda_matchbox.releases.sources import Source
from lambda_matchbox.releases.store import BusyError, ReleaseStore

_TIME_LIMIT = 300.0  # seconds: an invocation ends after fifteen minutes


class SyncFailedError(Exception):
    """Some sources could not be synced; the message says which and why. The others were."""


class Log(Protocol):
    """A logger of the standard library, or of its form."""

    def info(self, msg: object, /, *, extra: Mapping[str, object]) -> None:
        """Log at level INFO, with these fields."""

    def error(self, msg: object, /, *, extra: Mapping[str, object], exc_info: BaseException | None = None) -> None:
        """Log at level ERROR, with these fields and the exception."""


class Report(NamedTuple):
    """The ids of sources, by outcome."""

    changed: list[str]
    unchanged: list[str]
    held: list[str]
    busy: list[str]
    not_due: list[str]


class SyncJob:
    """Syncs sources one at a time, so that memory and disk suffice for one image.

    The order is random and each sync has a time limit, so that a slow registry does not starve the other sources.
    `publish` receives the metrics of each source in each run, due or not. `at_start` is called before
    all sources are synced.
    """

    def __init__(
        self,
        stores: SourceStores,
        registry: Registry,
        log: Log,
        *,
        publish: Callable[[SourceMetrics], object] = lambda _: None,
        at_start: Callable[[], object] = lambda: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._stores = stores
        self._downloads = Downloads(registry, _TIME_LIMIT)
        self._log = log
        self._publish = publish
        self._at_start = at_start
        self._clock = clock
        self._records: dict[str, ReleaseRecord] = {}

    def run(self, only: str | None) -> Report:
        """Sync the source `only`, due or not; without one all that are due.

        Raises SyncFailedError, after all have been tried.
        """
        with ThreadPoolExecutor(2) as beside:
            started = beside.submit(self._start) if only is None else None
            pointers = beside.submit(self._pointers)
            found = self._sources()
            report = self._run(only, found, pointers.result())
            if started is not None:
                started.result()
        return report

    def _start(self) -> None:
        try:
            self._at_start()
        except MatchboxError as error:
            # The table may be away, which the sources say as well.
            self._log.error("the key of tokens is not replaced", extra={"reason": str(error)})

    def _pointers(self) -> Pointers:
        try:
            return self._stores.pointers()
        except MatchboxError:
            # A sync reads its own, and says so.
            return {}

    def _run(self, only: str | None, found: ImageSources, pointers: Pointers | None) -> Report:
        for line in found.refused:
            self._log.error("source refused", extra={"reason": line})
        if found.refused:
            self._publish(SourceMetrics(failed=len(found.refused)))
        elif not found.sources:
            # Nothing is overdue; without a metric this would look like a function that does not run.
            self._publish(SourceMetrics(age=0.0))
        if only is not None and only not in found.sources:
            available = ", ".join(found.sources) or "none"
            raise SyncFailedError("; ".join([f"no source {only!r}; available: {available}", *found.refused]))
        report = Report([], [], [], [], [])
        failures = list(found.refused) if only is None else []
        sources = list(found.sources.values())
        random.shuffle(sources)
        for source in sources:
            self._publish(self._turn(source, only, found.named, pointers, report, failures))
            # The turn may have taken minutes.
            pointers = None
        try:
            self._stores.complete()
        except MatchboxError as error:
            self._log.error("releases not copied for CloudFront", extra={"reason": str(error)})
            self._publish(SourceMetrics(failed=1))
            failures.append(f"cannot copy the releases for CloudFront: {error}; the next run tries again")
        if failures:
            raise SyncFailedError("; ".join(failures))
        return Report(*map(sorted, report))

    def _turn(
        self,
        source: Source,
        only: str | None,
        named: frozenset[str],
        pointers: Pointers | None,
        report: Report,
        failures: list[str],
    ) -> SourceMetrics:
        """Sync the source if it is `only` or due, and add it to the report or the failures; returns its metrics."""
        start = time.perf_counter()
        age = None
        try:
            store = self._stores.releases(source.id)
            checked = self._last_check(store)
            age = NEVER if checked is None else (self._clock() - checked) / source.interval
            metrics = SourceMetrics(source.id, None if checked is None else age)
            if source.id == only or (only is None and is_due(source, checked, self._clock())):
                pointers = self._pointers() if pointers is None else pointers
                metrics = self._sync(source, store, pointers.get(source.id), report) or metrics
                if source.id not in report.unchanged:
                    pointers = self._stores.pointers()
                for other in withdraw_replaced(source, named, pointers, self._stores):
                    self._log.info("withdrawn", extra={"source": other, "replaced_by": source.id})
            elif only is None:
                report.not_due.append(source.id)
        except SyncError as error:
            self._log.error("sync failed", extra={"source": source.id, "reason": str(error)})
            failures.append(str(error))
        except Exception as error:  # noqa: BLE001 (whatever is wrong with one source, the others get their turn)
            reason = f"{source.id}: {type(error).__name__}: {error}"
            self._log.error("sync failed", extra={"source": source.id, "reason": reason}, exc_info=error)
            failures.append(reason)
        else:
            return metrics
        return SourceMetrics(source.id, age, succeeded=0, failed=1, seconds=time.perf_counter() - start)

    def _sources(self) -> ImageSources:
        try:
            return self._stores.sources()
        except MatchboxError as error:
            # The first run of a new stack's schedule may come before the table exists.
            raise SyncFailedError(
                f"cannot read the sources in {self._stores.name}; the next run tries again: {error}"
            ) from error

    def _last_check(self, store: ReleaseStore) -> int | None:
        checked = store.checked()
        # A clock was ahead. Until then the source would not be due, nor its age raise an alarm.
        return None if checked is not None and checked > self._clock() else checked

    def _sync(
        self, source: Source, store: ReleaseStore, pointer: Pointer | None, report: Report
    ) -> SourceMetrics | None:
        """Sync the source and add it to the report; returns its metrics, None where another sync is running.

        Raises SyncError.
        """
        start = time.perf_counter()
        scratch = self._stores.scratch(source.id)
        known = None if pointer is None else Known(pointer, self._records)
        try:
            outcome = Sync(source, store, self._downloads, scratch=scratch, known=known, clock=self._clock).run()
        except BusyError:
            # The schedule and an operator at the same time: the other sync has the same result.
            report.busy.append(source.id)
            return None
        seconds = time.perf_counter() - start
        ids = report.changed if outcome.changed else report.held if outcome.held else report.unchanged
        ids.append(source.id)
        self._log.info(
            "synced",
            extra={
                "source": source.id,
                "digest": outcome.digest,
                "changed": outcome.changed,
                "held": outcome.held,
                "seconds": round(seconds, 3),
                **({} if outcome.signature is None else {"signed_by": outcome.signature.signer}),
            },
        )
        return SourceMetrics(source.id, age=0.0, succeeded=1, failed=0, seconds=seconds)
