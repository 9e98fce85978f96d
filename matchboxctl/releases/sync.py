"""`matchboxctl sync`: the newest images of sources, published as releases."""

import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing

from lambda_matchbox.image_sync.sync import Outcome, Sync, SyncError
from lambda_matchbox.image_sync.withdrawal import withdraw_replaced
from lambda_matchbox.oci.distribution.docker_config import logins_from_environment
from lambda_matchbox.oci.distribution.registry import Registry
from lambda_matchbox.releases.sources import Source
from lambda_matchbox.releases.store import BusyError
from matchboxctl.cli.errors import FailedError, UsageError
from matchboxctl.cli.progress import Progress
from matchboxctl.cli.warnings import Warnings
from matchboxctl.releases.places import SourcePlace

_PATIENCE = 900.0  # seconds: a function's sync ends within 15 minutes
_PAUSE = 1.0


class _Download:
    """Shows how much of an image has arrived (see `image_sync.byte_count.ByteCount`)."""

    def __init__(self, source_id: str) -> None:
        self._source_id = source_id
        self._progress: Progress | None = None

    def begin(self, total: int) -> None:
        self._progress = Progress(f"{self._source_id}: downloading", total, "bytes")

    def add(self, count: int) -> None:
        if self._progress is not None:
            self._progress.add(count)

    def end(self) -> None:
        if self._progress is not None:
            self._progress.end()


def sync(place: SourcePlace, ids: Sequence[str], environment: Mapping[str, str]) -> None:
    """Sync these sources, or all. Raises UsageError, and FailedError where one is not up to date afterwards."""
    sources, refused, named = place.read()
    warnings = Warnings()
    unknown = [source_id for source_id in ids if source_id not in sources]
    # Who names the sources is told of the others only where they may be those.
    for line in refused if unknown or not ids else ():
        warnings.warn(line)
    if unknown:
        raise UsageError(f"no source {unknown[0]!r} in {place.name}; there are: {', '.join(sources) or 'none'}")
    if not sources:
        print(f"no image sources in {place.name}: put one into sources/ (see docs/images.md)", file=sys.stderr)
    with closing(Registry(logins_from_environment(environment))) as registry:
        for source_id in ids or sources:
            try:
                outcome = _synced(sources[source_id], registry, place)
            except SyncError as error:
                warnings.warn(str(error))
            else:
                print(f"{source_id}: {_shown(outcome)}", flush=True)
                for other in withdraw_replaced(sources[source_id], named, place.pointers(), place.store):
                    print(f"{other}: withdrawn, since no source has this id and {source_id} took its part of /assets/")
    if warnings.count:
        raise FailedError(
            f"{warnings.count} of the sources could not be synced (see the warnings above); the rest are up to date"
        )


def _synced(source: Source, registry: Registry, place: SourcePlace) -> Outcome:
    end = time.monotonic() + _PATIENCE
    told = False
    while True:
        download = _Download(source.id)
        try:
            store, scratch = place.store(source.id), place.scratch(source.id)
            return Sync(source, registry, store, scratch=scratch, received=download).run()
        except BusyError as error:
            if time.monotonic() >= end:
                raise SyncError(f"{source.id}: {source.image}: {error}, for {_PATIENCE / 60:.0f} minutes") from error
            if not told:
                print(f"matchboxctl: {error}: waiting for its end", file=sys.stderr, flush=True)
                told = True
            time.sleep(_PAUSE)
        finally:
            download.end()


def _shown(outcome: Outcome) -> str:
    if outcome.held:
        return f"held at {outcome.digest}; `matchboxctl follow {outcome.source_id}` lets it move again"
    return f"{'now' if outcome.changed else 'up to date:'} {outcome.digest}"
