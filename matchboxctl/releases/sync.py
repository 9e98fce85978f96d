"""`matchboxctl sync`: publish the newest images of sources."""

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from threading import Event

from lambda_matchbox.aws.clients.errors import AWSError
from lambda_matchbox.errors import MatchboxError
from lambda_matchbox.image_sync.sources import ImageSources, SourceStores
from lambda_matchbox.oci.distribution.docker_config import logins_from_environment
from lambda_matchbox.oci.distribution.registry import Registry
from matchboxctl.cli.errors import FailedError, UsageError, on_interrupt
from matchboxctl.cli.names import did_you_mean
from matchboxctl.cli.warnings import Warnings
from matchboxctl.releases.sync_report import SyncReport
from matchboxctl.releases.syncs import SyncProgress, Syncs
from matchboxctl.store.aws_errors import with_advice


def sync(stores: SourceStores, ids: Sequence[str], environment: Mapping[str, str], output: str = "table") -> None:
    """Sync these sources, or all, and print what became of each.

    Raises UsageError, and FailedError unless all are up to date afterwards.
    """
    found = stores.sources()
    warnings = Warnings()
    unknown = [source_id for source_id in ids if source_id not in found.sources]
    # With ids, invalid sources matter only if one of them may be meant.
    refused = found.refused if unknown or not ids else []
    for line in refused:
        warnings.warn(line)
    if unknown:
        raise _absent(stores, found, unknown[0])
    if not found.sources:
        print(f"no image sources in {stores.name}; add one with `matchboxctl source create -f FILE`", file=sys.stderr)
    chosen = list(dict.fromkeys(ids or found.sources))
    with closing(Registry(logins_from_environment(environment))) as registry:
        report = SyncReport(output)
        syncs = Syncs(stores, found, chosen, registry, report, warnings.warn)
        with on_interrupt(syncs.left):
            syncs.run()
    report.end(refused)
    _complete(stores)
    if warnings.count:
        raise FailedError(_failure(warnings.count, len(chosen) + len(refused)))


def sync_one(
    stores: SourceStores,
    source_id: str,
    environment: Mapping[str, str],
    report: SyncReport,
    warn: Callable[[str], None],
    progress: Callable[[str, Event], SyncProgress],
) -> None:
    """Sync the source beside other work; `report`, `warn` and `progress` are told what becomes of it.

    Raises UsageError and FailedError.
    """
    found = stores.sources()
    if source_id not in found.sources:
        raise _absent(stores, found, source_id)
    with closing(Registry(logins_from_environment(environment))) as registry:
        Syncs(stores, found, [source_id], registry, report, warn, progress).run()
    _complete(stores)


def _absent(stores: SourceStores, found: ImageSources, source_id: str) -> UsageError:
    available = f"; available: {', '.join(found.sources) or 'none'}"
    alike = did_you_mean(source_id, lambda: found.sources)
    return UsageError(f"no source {source_id!r} in {stores.name}{alike or available}")


def _complete(stores: SourceStores) -> None:
    try:
        stores.complete()
    except MatchboxError as error:
        why = with_advice(error) if isinstance(error, AWSError) else str(error)
        if why == str(error):
            why += "; asset_sync's next run makes them, or the same command"
        raise FailedError(f"not all copies for CloudFront are made: {why}") from error


def _failure(failed: int, total: int) -> str:
    if total == 1:
        return "the source could not be synced (see the error above)"
    return f"{failed} of {total} sources could not be synced (see the {'error' if failed == 1 else 'errors'} above)"
