"""`matchboxctl releases`, `rollback`, `follow` and `withdraw`."""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from lambda_matchbox.image_sync.sources import SourceStores
from lambda_matchbox.image_sync.withdrawal import withdraw
from lambda_matchbox.releases.pointers import RECORD, Pointer, Release, UnknownReleaseError, rolled_back
from lambda_matchbox.releases.records import ReleaseRecord, record_in, variables
from lambda_matchbox.releases.store import CopiesError, MovedError, ReleaseStore, ReleaseStoreError
from matchboxctl.cli.errors import FailedError, UsageError, on_interrupt
from matchboxctl.cli.names import did_you_mean
from matchboxctl.cli.output import as_yaml, print_result, print_text
from matchboxctl.cli.tables import table
from matchboxctl.releases.source_stores import source_ids

_MAX_MOVES = 5
# A DNS subdomain (Kubernetes, "Object Names and IDs").
_CONFIG_MAP_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*", re.ASCII)
_COLUMNS = ("STATE", "DIGEST", "PUBLISHED", "BYTES", "VERSION", "SIGNER")


class Published(NamedTuple):
    """The pointer of a source, and its releases with their records; None for one that is missing."""

    pointer: Pointer
    records: Sequence[tuple[Release, ReleaseRecord | None]]


def releases(stores: SourceStores, source_id: str, output: str) -> None:
    """Print the releases of the source, the newest first. Raises UsageError.

    `output` is `table`, `json`, `yaml`, or `env` or `configmap` for the variables of the current release.
    """
    if output == "configmap" and not _CONFIG_MAP_NAME.fullmatch(source_id):
        raise UsageError(
            f"{source_id!r} cannot be the name of a ConfigMap: use --output env, and "
            "`kubectl create configmap NAME --from-env-file FILE`"
        )
    pointer, records = published(stores, source_id)
    if output not in ("env", "configmap"):
        print_result(
            output,
            lambda: [_fields(pointer, release, record) for release, record in records],
            lambda: table(_COLUMNS, [_cells(pointer, release, record) for release, record in records]),
        )
        return
    current = next(record for release, record in records if release == pointer.release(pointer.current))
    if current is None:
        raise FailedError(f"{source_id}: {RECORD} of the current release is missing; sync again")
    if output == "configmap":
        print_text(as_yaml(_config_map(source_id, variables(current))))
        return
    for name, value in variables(current).items():
        print(f"{name}={value}")


def published(stores: SourceStores, source_id: str) -> Published:
    """The releases of the source, the newest first. Raises UsageError."""
    store, pointer = _published(stores, source_id)
    return Published(pointer, [(release, _record(store, release)) for release in pointer.releases])


def rollback(stores: SourceStores, source_id: str, digest: str | None) -> None:
    """Serve the kept release of that digest, by default the previous one, and hold it. Raises UsageError."""
    print(rolled_back_to(stores, source_id, digest))


def rolled_back_to(stores: SourceStores, source_id: str, digest: str | None) -> str:
    """Roll back; says what was done. Raises UsageError."""

    def moved(pointer: Pointer) -> Pointer:
        try:
            return rolled_back(pointer, digest, int(time.time()))
        except UnknownReleaseError as error:
            raise UsageError(f"{source_id}: {error}") from error

    pointer = _move(stores, source_id, moved)
    return f"{source_id}: held at {pointer.current}; run `matchboxctl follow {source_id}` to let syncs update it"


def follow(stores: SourceStores, source_id: str) -> None:
    """Let syncs update the source again. Raises UsageError."""
    print(followed(stores, source_id))


def followed(stores: SourceStores, source_id: str) -> str:
    """Let syncs update the source again; says what was done. Raises UsageError."""
    pointer = _move(stores, source_id, lambda old: old._replace(held=False))
    return f"{source_id}: at {pointer.current}; the next sync updates it to the newest image"


def withdraw_removed(stores: SourceStores, source_id: str) -> None:
    """Stop serving a source that has no document. Raises UsageError and FailedError."""
    if source_id in stores.sources().named:
        raise UsageError(
            f"{source_id!r} is an image source, which the next sync would publish again: run "
            f"`matchboxctl source delete {source_id}` first"
        )
    store, _ = _published(stores, source_id)
    try:
        withdraw(store)
    except CopiesError as error:
        raise FailedError(f"{source_id}: withdrawn, but {error}") from error
    except ReleaseStoreError as error:
        raise FailedError(f"{source_id}: {error}; run the same command again") from error
    print(f"{source_id}: withdrawn")


def _move(stores: SourceStores, source_id: str, moved: Callable[[Pointer], Pointer]) -> Pointer:
    for _ in range(_MAX_MOVES):
        store, pointer = _published(stores, source_id)
        new = moved(pointer)
        try:
            with on_interrupt(f"`matchboxctl releases {source_id}` shows what is current now"):
                store.move(pointer, new)
        except MovedError:
            continue
        except CopiesError as error:
            # The same command again would roll back once more.
            raise FailedError(f"{source_id}: {new.current} is current now, but {error}") from error
        return new
    raise FailedError(f"{source_id}: syncs keep updating it; run the same command again")


def _published(stores: SourceStores, source_id: str) -> tuple[ReleaseStore, Pointer]:
    if "/" in source_id or source_id in ("", ".", ".."):
        raise UsageError(f"invalid source id {source_id!r}")
    store = stores.releases(source_id)
    try:
        pointer = store.pointer()
    except ReleaseStoreError as error:
        raise FailedError(f"{source_id}: {error}") from error
    if pointer is None:
        known = source_ids(stores)
        if source_id in known:
            raise UsageError(f"no release of {source_id!r} in {stores.name}; run `matchboxctl sync {source_id}`")
        others = did_you_mean(source_id, lambda: known) or f"; available: {', '.join(sorted(known)) or 'none'}"
        raise UsageError(f"no source {source_id!r} in {stores.name}{others}")
    return store, pointer


def _record(store: ReleaseStore, release: Release) -> ReleaseRecord | None:
    text = store.read(release.directory, RECORD)
    return None if text is None else record_in(text)


def _fields(pointer: Pointer, release: Release, record: ReleaseRecord | None) -> dict[str, Any]:
    current = release == pointer.release(pointer.current)
    return {
        "digest": release.digest,
        "time": _time(release.published),
        "size": 0 if record is None else record.size,
        "current": current,
        "held": current and pointer.held,
        "version": "" if record is None else record.version,
        **({} if record is None or record.signature is None else {"signature": record.signature._asdict()}),
        "files": {} if record is None else {name: file._asdict() for name, file in record.files.items()},
    }


def _cells(pointer: Pointer, release: Release, record: ReleaseRecord | None) -> Sequence[str]:
    state = ("held" if pointer.held else "current") if release == pointer.release(pointer.current) else "kept"
    size = "no record" if record is None else f"{record.size:,}"
    version = "" if record is None else record.version
    signer = "" if record is None or record.signature is None else record.signature.signer
    return state, release.digest, _time(release.published), size, version, signer


def _config_map(name: str, values: Mapping[str, str]) -> dict[str, Any]:
    # With the label, Flux applies a change at once, and not at the next interval.
    metadata = {"name": name, "labels": {"reconcile.fluxcd.io/watch": "Enabled"}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": dict(values)}


def _time(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
