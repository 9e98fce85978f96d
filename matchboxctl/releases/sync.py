"""`matchboxctl sync`: publish the newest images of sources."""

import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import closing

from lambda_matchbox.image_sync.download import Downloads
from lambda_matchbox.image_sync.sources import SourceStores
from lambda_matchbox.image_sync.sync import Outcome, Sync, SyncError
from lambda_matchbox.image_sync.withdrawal import withdraw_replaced
from lambda_matchbox.oci.distribution.docker_config import logins_from_environment
from lambda_matchbox.oci.distribution.registry import Registry
from lambda_matchbox.releases.sources import Source
from lambda_matchbox.releases.store import BusyError
from matchboxctl.cli.errors import FailedError, UsageError, on_interrupt
from matchboxctl.cli.extras import missing_extra
from matchboxctl.cli.output import FORMATS, print_text
from matchboxctl.cli.progress import BYTES, Progress
from matchboxctl.cli.standard_output import OutputError
from matchboxctl.cli.warnings import Warnings

_BUSY_TIMEOUT = 900.0  # seconds: a function's sync ends within 15 minutes
_PAUSE = 1.0


class _DownloadProgress:
    """Shows the progress of a download (see `image_sync.download.DownloadProgress`)."""

    def __init__(self, source_id: str) -> None:
        self._source_id = source_id
        self._progress: Progress | None = None

    def begin(self, total: int) -> None:
        self._progress = Progress(self._source_id, total, BYTES)

    def add(self, count: int) -> None:
        if self._progress is not None:
            self._progress.add(count)

    def end(self) -> None:
        if self._progress is not None:
            self._progress.end()


def sync(stores: SourceStores, ids: Sequence[str], environment: Mapping[str, str], output: str = "table") -> None:
    """Sync these sources, or all, and print what became of each.

    Raises UsageError, and FailedError unless all are up to date afterwards.
    """
    sources, refused, named = stores.sources()
    warnings = Warnings()
    unknown = [source_id for source_id in ids if source_id not in sources]
    # With ids, invalid sources matter only if one of them may be meant.
    refused = refused if unknown or not ids else []
    for line in refused:
        warnings.warn(line)
    if unknown:
        raise UsageError(f"no source {unknown[0]!r} in {stores.name}; available: {', '.join(sources) or 'none'}")
    if not sources:
        print(f"no image sources in {stores.name}; add one to sources/ (see docs/images.md)", file=sys.stderr)
    chosen = list(dict.fromkeys(ids or sources))
    due = list(chosen)
    report = _Report(output)
    with closing(Registry(logins_from_environment(environment))) as registry, on_interrupt(lambda: _left(due)):
        for source_id in chosen:
            try:
                outcome = _sync(sources[source_id], registry, stores)
                report.add(outcome)
                for other in withdraw_replaced(sources[source_id], named, stores):
                    report.add_withdrawn(other, source_id)
            except OutputError:
                raise
            except SyncError as error:
                warnings.warn(str(error))
                report.add_failed(source_id, str(error))
            except Exception as error:  # noqa: BLE001 (whatever is wrong with one source, the others are synced)
                traceback.print_exc()
                line = f"{source_id}: {type(error).__name__}: {error}"
                warnings.warn(line)
                report.add_failed(source_id, line)
            due.remove(source_id)
    report.end(refused)
    if warnings.count:
        raise FailedError(_failure(warnings.count, len(chosen) + len(refused)))


def _sync(source: Source, registry: Registry, stores: SourceStores) -> Outcome:
    end = time.monotonic() + _BUSY_TIMEOUT
    waiting = False
    while True:
        progress = _DownloadProgress(source.id)
        try:
            store, scratch = stores.releases(source.id), stores.scratch(source.id)
            return Sync(source, store, Downloads(registry, progress=progress), scratch=scratch).run()
        except BusyError as error:
            if time.monotonic() >= end:
                minutes = f"{_BUSY_TIMEOUT / 60:.0f} minutes"
                raise SyncError(f"{source.id}: {source.image}: {error} (waited {minutes})") from error
            if not waiting:
                print(f"matchboxctl: {error}; waiting for it to end", file=sys.stderr, flush=True)
                waiting = True
            time.sleep(_PAUSE)
        except ModuleNotFoundError as error:
            if (missing := missing_extra(error)) is None:
                raise
            raise SyncError(f"{source.id}: {source.image}: {missing}") from error
        finally:
            progress.end()


class _Report:
    """Lines as sources are synced, or one document at the end; standard error has failures as they come."""

    def __init__(self, output: str) -> None:
        self._output = output
        self._sources: list[Mapping[str, object]] = []

    def add(self, outcome: Outcome) -> None:
        """Add what became of a source."""
        signer = None if outcome.signature is None else outcome.signature.signer
        state = "held" if outcome.held else "published" if outcome.changed else "up to date"
        line = f"{state}{':' if state == 'up to date' else ' at' if outcome.held else ''} {outcome.digest}"
        if outcome.held:
            line += f"; run `matchboxctl follow {outcome.source_id}` to let syncs update it"
        elif signer is not None:
            line += f" (signed by {signer})"
        self._add(f"{outcome.source_id}: {line}", outcome.source_id, state, digest=outcome.digest, signer=signer)

    def add_withdrawn(self, source_id: str, by: str) -> None:
        """Add a source that no longer exists, whose releases are not served any more."""
        line = f"{source_id}: withdrawn: the source no longer exists, and {by} replaces its assets"
        self._add(line, source_id, "withdrawn")

    def add_failed(self, source_id: str, error: str) -> None:
        """Add a source that could not be synced."""
        self._add("", source_id, "failed", error=error)

    def end(self, refused: Sequence[str]) -> None:
        """Print the document; `refused` says which sources are invalid."""
        if self._output in FORMATS:
            print_text(FORMATS[self._output]({"sources": self._sources, "refused": list(refused)}))

    def _add(self, line: str, source_id: str, state: str, **more: object) -> None:
        empty = {"digest": None, "signer": None, "error": None}
        self._sources.append({"id": source_id, "state": state, **empty, **more})
        if line and self._output not in FORMATS:
            print(line, flush=True)


def _left(due: Sequence[str]) -> str:
    """What an interruption leaves; the first of these sources was being synced."""
    if not due:
        return "all sources were synced"
    rest = f"; not begun: {', '.join(due[1:])}" if due[1:] else ""
    return f"what {due[0]} served before is still served, and the next sync starts its download anew{rest}"


def _failure(failed: int, total: int) -> str:
    if total == 1:
        return "the source could not be synced (see the error above)"
    return f"{failed} of {total} sources could not be synced (see the {'error' if failed == 1 else 'errors'} above)"
