"""Syncs of image sources, several at once."""

import sys
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from threading import Event, Semaphore, Thread
from typing import Protocol

from lambda_matchbox.image_sync.download import DownloadProgress, Downloads
from lambda_matchbox.image_sync.sources import ImageSources, SourceStores
from lambda_matchbox.image_sync.sync import Outcome, Sync, SyncError
from lambda_matchbox.image_sync.withdrawal import withdraw_replaced
from lambda_matchbox.oci.distribution.registry import Registry
from lambda_matchbox.releases.sources import Source
from lambda_matchbox.releases.store import BusyError
from matchboxctl.cli.extras import missing_extra
from matchboxctl.cli.progress import Progress, bars_hidden
from matchboxctl.cli.standard_output import OutputError
from matchboxctl.cli.work import BYTES
from matchboxctl.releases.sync_report import SyncReport

AT_ONCE = 4
"""So that a slow registry does not delay the other sources."""

_BUSY_TIMEOUT = 900.0  # seconds: a function's sync ends within 15 minutes
_PAUSE = 1.0
_GRACE = 5.0


class SyncProgress(DownloadProgress, Protocol):
    """Receives the progress of a download, and its end."""

    def end(self) -> None:
        """The download ends, or did not begin."""


class _DownloadProgress:
    """Shows the progress of a download (see `image_sync.download.DownloadProgress`), which `ending` ends."""

    def __init__(self, source_id: str, ending: Event) -> None:
        self._source_id = source_id
        self._ending = ending
        self._progress: Progress | None = None

    def begin(self, total: int) -> None:
        self._progress = Progress(self._source_id, total, BYTES)

    def add(self, count: int) -> None:
        if self._ending.is_set():
            raise CancelledError
        if self._progress is not None:
            self._progress.add(count)

    def end(self) -> None:
        if self._progress is not None:
            self._progress.end()


class Syncs:
    """Syncs of sources, several at once; an interruption ends them."""

    def __init__(
        self,
        stores: SourceStores,
        found: ImageSources,
        chosen: Sequence[str],
        registry: Registry,
        report: SyncReport,
        warn: Callable[[str], None],
        progress: Callable[[str, Event], SyncProgress] = _DownloadProgress,
    ) -> None:
        self._stores = stores
        self._found = found
        self._registry = registry
        self._report = report
        self._warn = warn
        self._progress_of = progress
        self._waiting = list(chosen)
        self._running: list[str] = []
        self._progress: list[SyncProgress] = []
        self._ending = Event()
        self._ended = Semaphore(0)
        self._errors: list[BaseException] = []

    def run(self) -> None:
        """Sync them; a warning for each that fails. Raises OutputError."""
        working = min(AT_ONCE, len(self._waiting))
        for _ in range(working):
            # Not waited for at the end of the process: what a killed sync leaves, the next one removes.
            Thread(target=self._work, daemon=True).start()
        try:
            # Not by Thread.join, which after an interruption takes the thread for ended (CPython before 3.13).
            while working:
                self._ended.acquire()
                working -= 1
        finally:
            self._ending.set()
            end = time.monotonic() + _GRACE
            while working and self._ended.acquire(timeout=max(0.0, end - time.monotonic())):
                working -= 1
            for progress in self._progress:
                progress.end()
        if self._errors:
            raise self._errors[0]

    def left(self) -> str:
        """What an interruption leaves."""
        if not self._running:
            return f"not begun: {', '.join(self._waiting)}" if self._waiting else "all sources were synced"
        rest = f"; not begun: {', '.join(self._waiting)}" if self._waiting else ""
        running = ", ".join(sorted(self._running))
        return f"what {running} served before is still served, and the next sync starts the download anew{rest}"

    def _work(self) -> None:
        try:
            with suppress(IndexError, CancelledError):
                while not self._ending.is_set():
                    source_id = self._waiting.pop(0)
                    self._running.append(source_id)
                    self._turn(source_id)
                    self._running.remove(source_id)
        except BaseException as error:  # noqa: BLE001 (the main thread raises it)
            self._errors.append(error)
            self._ending.set()
        finally:
            self._ended.release()

    def _turn(self, source_id: str) -> None:
        source = self._found.sources[source_id]
        try:
            outcome = self._sync(source)
            self._report.add(outcome)
            for other in withdraw_replaced(source, self._found.named, self._stores.pointers(), self._stores):
                self._report.add_withdrawn(other, source_id)
        except (OutputError, CancelledError):
            raise
        except SyncError as error:
            self._fail(source_id, str(error))
        except Exception as error:  # noqa: BLE001 (whatever is wrong with one source, the others are synced)
            with bars_hidden():
                traceback.print_exc()
            self._fail(source_id, f"{source_id}: {type(error).__name__}: {error}")

    def _fail(self, source_id: str, line: str) -> None:
        self._warn(line)
        self._report.add_failed(source_id, line)

    def _sync(self, source: Source) -> Outcome:
        end = time.monotonic() + _BUSY_TIMEOUT
        waiting = False
        while True:
            progress = self._progress_of(source.id, self._ending)
            self._progress.append(progress)
            try:
                store, scratch = self._stores.releases(source.id), self._stores.scratch(source.id)
                return Sync(source, store, Downloads(self._registry, progress=progress), scratch=scratch).run()
            except BusyError as error:
                if time.monotonic() >= end:
                    minutes = f"{_BUSY_TIMEOUT / 60:.0f} minutes"
                    raise SyncError(f"{source.id}: {source.image}: {error} (waited {minutes})") from error
                if not waiting:
                    with bars_hidden():
                        print(f"matchboxctl: {error}; waiting for it to end", file=sys.stderr, flush=True)
                    waiting = True
                if self._ending.wait(_PAUSE):
                    raise CancelledError from error
            except ModuleNotFoundError as error:
                if (missing := missing_extra(error)) is None:
                    raise
                raise SyncError(f"{source.id}: {source.image}: {missing}") from error
            finally:
                progress.end()
