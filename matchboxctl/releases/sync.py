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


def sync(stores: SourceStores, ids: Sequence[str], environment: Mapping[str, str]) -> None:
    """Sync these sources, or all. Raises UsageError, and FailedError unless all are up to date afterwards."""
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
    with closing(Registry(logins_from_environment(environment))) as registry, on_interrupt(lambda: _left(due)):
        for source_id in chosen:
            try:
                outcome = _sync(sources[source_id], registry, stores)
                print(f"{source_id}: {_text(outcome)}", flush=True)
                for other in withdraw_replaced(sources[source_id], named, stores):
                    print(f"{other}: withdrawn: the source no longer exists, and {source_id} replaces its assets")
            except OutputError:
                raise
            except SyncError as error:
                warnings.warn(str(error))
            except Exception as error:  # noqa: BLE001 (whatever is wrong with one source, the others are synced)
                traceback.print_exc()
                warnings.warn(f"{source_id}: {type(error).__name__}: {error}")
            due.remove(source_id)
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


def _text(outcome: Outcome) -> str:
    if outcome.held:
        return f"held at {outcome.digest}; run `matchboxctl follow {outcome.source_id}` to let syncs update it"
    signed = "" if outcome.signature is None else f" (signed by {outcome.signature.signer})"
    return f"{'published' if outcome.changed else 'up to date:'} {outcome.digest}{signed}"


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
