"""What is wrong with image sources and their releases, while syncs publish others?

What looks wrong is looked at again before it counts, and removed only while the source's lease is held.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from lambda_matchbox.aws.catalog.table_contents import TableContents
from lambda_matchbox.aws.clients.dynamodb_json import encode_item
from lambda_matchbox.aws.clients.store_clients import StoreClients
from lambda_matchbox.aws.fsck.rules import Fault, Finding, Kind
from lambda_matchbox.aws.layout import (
    KEY,
    POINTERS,
    RELEASES_PREFIX,
    pointers_in,
    release_prefix,
    source_name,
    texts_of_sources,
)
from lambda_matchbox.aws.releases.store import TableReleaseStore
from lambda_matchbox.documents.sources import parse_source
from lambda_matchbox.errors import DocumentError
from lambda_matchbox.releases.pointers import RECORD, Pointer, Pointers, Release
from lambda_matchbox.releases.records import record_in
from lambda_matchbox.releases.sources import Source, apart
from lambda_matchbox.releases.store import BusyError, MovedError, ReleaseStoreError


class _ReleaseDirectory(NamedTuple):
    """Where files lie, and when the youngest of them was put."""

    source_id: str
    name: str
    youngest: datetime


class ReleaseCheck:
    """Finds faults with boto3 clients; with `repair` it mends those that can be mended."""

    def __init__(self, clients: StoreClients, *, repair: bool) -> None:
        self._clients = clients
        self._repair = repair

    def run(self, found: TableContents, age: float) -> Iterator[Finding]:
        """All that is found; files that no release has may still be under way for `age` seconds."""
        yield from _sources(found)
        pointers = pointers_in(found.pointers)
        damaged = {name: text for name, text in texts_of_sources(found.pointers).items() if name not in pointers}
        for source_id, text in damaged.items():
            yield self._damaged(source_id, text)
        for source_id, pointer in pointers.items():
            for release in pointer.releases:
                yield from self._release(source_id, release)
        before = datetime.now(UTC) - timedelta(seconds=age)
        for directory in self._unnamed(pointers):
            # Nobody knows which ones a damaged pointer named.
            if directory.source_id not in damaged and directory.youngest < before:
                yield from self._unused(directory)
        for source_id in pointers.keys() - texts_of_sources(found.sources).keys():
            what = f"source {source_id!r} has releases and no document: only MATCHBOX_SOURCE can have it synced"
            yield Finding(Fault(Kind.NOTE, what), mended=False)

    def _damaged(self, source_id: str, text: str) -> Finding:
        mended = False
        if self._repair:
            try:
                self._clients.dynamodb.update_item(
                    TableName=self._clients.table,
                    Key=encode_item({KEY: POINTERS}),
                    UpdateExpression="REMOVE #source",
                    ConditionExpression="#source = :text",
                    ExpressionAttributeNames={"#source": source_name(source_id)},
                    ExpressionAttributeValues=encode_item({":text": text}),
                )
                mended = True
            except self._clients.dynamodb.exceptions.ConditionalCheckFailedException:
                # It is another one by now, or no text.
                mended = False
        what = f"the pointer of source {source_id!r} is none, so that no release of it is served: a repair removes it"
        return Finding(Fault(Kind.UNREADABLE, f"{what}, then sync again"), mended)

    def _release(self, source_id: str, release: Release) -> Iterator[Finding]:
        store = self._store(source_id)
        lost = _lost(store, release)
        pointer = _pointer(store) if lost else None
        if pointer is None or release.directory not in _directories(pointer):
            return
        mended = False
        advice = "sync again"
        served = pointer.release(pointer.current)
        is_served = served is not None and served.directory == release.directory
        if pointer.held and is_served:
            advice = "roll back to another release, or follow and sync again"
        elif not is_served:
            # A sync looks at what the image is now, and nobody should roll back to this one.
            advice = "a repair takes it out of those that are kept"
            mended = self._repair and _taken_out(store, pointer, release)
        what = f"release {release.digest} of source {source_id!r}: the bucket lacks {lost}: {advice}"
        yield Finding(Fault(Kind.LOST_OBJECT, what), mended)

    def _unnamed(self, pointers: Pointers) -> list[_ReleaseDirectory]:
        """The directories that no pointer names."""
        youngest: dict[tuple[str, str], datetime] = {}
        pages = self._clients.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._clients.bucket, Prefix=RELEASES_PREFIX
        )
        for page in pages:
            for listed in page.get("Contents", ()):
                source_id, _, rest = listed["Key"].removeprefix(RELEASES_PREFIX).partition("/")
                directory, slash, _ = rest.partition("/")
                if slash:
                    moment = listed["LastModified"]
                    youngest[source_id, directory] = max(moment, youngest.get((source_id, directory), moment))
        return [
            _ReleaseDirectory(*key, moment)
            for key, moment in youngest.items()
            if key[0] not in pointers or key[1] not in _directories(pointers[key[0]])
        ]

    def _unused(self, directory: _ReleaseDirectory) -> Iterator[Finding]:
        store = self._store(directory.source_id)
        if directory.name in _directories(_pointer(store)):
            return
        mended = False
        if self._repair:
            try:
                with store.lease():
                    if directory.name in _directories(_pointer(store)):
                        return
                    store.discard(directory.name)
                    mended = True
            except BusyError:
                # The sync that is under way removes it.
                mended = False
        what = f"no release has the objects below {release_prefix(directory.source_id, directory.name)}"
        yield Finding(Fault(Kind.UNUSED_OBJECT, what), mended)

    def _store(self, source_id: str) -> TableReleaseStore:
        return TableReleaseStore(self._clients, source_id)


def _sources(found: TableContents) -> Iterator[Finding]:
    sources: list[Source] = []
    for source_id, text in texts_of_sources(found.sources).items():
        try:
            sources.append(parse_source(source_id, text.encode()))
        except DocumentError as error:
            what = f"source {source_id!r} is not synced: {error}: import it again"
            yield Finding(Fault(Kind.UNREADABLE, what), mended=False)
    _, refused = apart(sources)
    for source_id, why in refused.items():
        yield Finding(Fault(Kind.NOTE, f"source {source_id!r} is not synced: {why}"), mended=False)


def _directories(pointer: Pointer | None) -> set[str]:
    return set() if pointer is None else {release.directory for release in pointer.releases}


def _pointer(store: TableReleaseStore) -> Pointer | None:
    """What is served; None where that is nothing, or damaged, which is found for itself."""
    try:
        return store.pointer()
    except ReleaseStoreError:
        return None


def _lost(store: TableReleaseStore, release: Release) -> str | None:
    """What the bucket lacks of the release, for an operator; None where all is there."""
    text = store.read(release.directory, RECORD)
    record = None if text is None else record_in(text)
    if record is None:
        return f"its {RECORD}"
    lost = record.lacks(store.sizes(release.directory))
    sizes = {name: f" with its {file.size} bytes" for name, file in record.files.items()}
    return ", ".join(f"{name!r}{sizes.get(name, '')}" for name in lost) or None


def _taken_out(store: TableReleaseStore, pointer: Pointer, release: Release) -> bool:
    rest = tuple(one for one in pointer.releases if one != release)
    try:
        store.move(pointer, pointer._replace(releases=rest))
    except MovedError:
        # A sync just now: the next check finds it again.
        return False
    return True
