"""Check and repair of image sources and their releases while syncs publish others.

Everything suspicious is read again before it counts, and objects are deleted only under the source's lease.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from lambda_matchbox.aws.catalog.table_contents import TableContents
from lambda_matchbox.aws.clients.dynamodb import ConditionFailedError
from lambda_matchbox.aws.clients.light_clients import LightClients
from lambda_matchbox.aws.fsck.rules import Finding, Kind
from lambda_matchbox.aws.keys import (
    POINTERS,
    RELEASES_PREFIX,
    pointers_in,
    release_prefix,
    source_name,
    texts_of_sources,
)
from lambda_matchbox.aws.releases.copies import ReleaseCopies
from lambda_matchbox.aws.releases.store import TableReleaseStore
from lambda_matchbox.documents.sources import parse_source
from lambda_matchbox.errors import DocumentError
from lambda_matchbox.releases.pointers import RECORD, Pointer, Pointers, Release
from lambda_matchbox.releases.records import record_in
from lambda_matchbox.releases.sources import Source, apart
from lambda_matchbox.releases.store import BusyError, CopiesError, MovedError, ReleaseStoreError


class _ReleaseDirectory(NamedTuple):
    """Where files lie, and when the youngest of them was put."""

    source_id: str
    name: str
    youngest: datetime


class ReleaseCheck:
    """Checks releases; with `repair` it repairs what it can and removes garbage."""

    def __init__(self, clients: LightClients, copies: ReleaseCopies, *, repair: bool) -> None:
        self._clients = clients
        self._copies = copies
        self._repair = repair

    def run(self, found: TableContents, age: float) -> Iterator[Finding]:
        """All findings; objects without a release may belong to a running sync for `age` seconds."""
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
            # A damaged pointer may have named it.
            if directory.source_id not in damaged and directory.youngest < before:
                yield from self._unused(directory)
        for source_id in pointers.keys() - texts_of_sources(found.sources).keys():
            text = f"source {source_id!r} has releases but no document: it is synced only if MATCHBOX_SOURCE names it"
            yield Finding(Kind.NOTE, text)

    def _damaged(self, source_id: str, text: str) -> Finding:
        repaired = False
        if self._repair:
            # Unless it was replaced meanwhile, or is not a text.
            with suppress(ConditionFailedError):
                self._clients.update(
                    POINTERS, "REMOVE #source", {"#source": source_name(source_id)}, {":text": text}, "#source = :text"
                )
                repaired = True
        text = f"the pointer of source {source_id!r} is damaged, so that no release of it is served"
        return Finding(Kind.UNREADABLE, f"{text}; remove it with --repair, then sync again", repaired)

    def _release(self, source_id: str, release: Release) -> Iterator[Finding]:
        store = self._store(source_id)
        lost = _lost(store, release)
        pointer = _pointer(store) if lost else None
        if pointer is None or release.directory not in _directories(pointer):
            return
        repaired = False
        advice = "sync again"
        served = pointer.release(pointer.current)
        is_served = served is not None and served.directory == release.directory
        if pointer.held and is_served:
            advice = "roll back to another release, or follow and sync again"
        elif not is_served:
            # A sync checks the current image only, and a rollback to this release must not be possible.
            advice = "--repair removes it from the releases"
            repaired = self._repair and _removed(store, pointer, release)
        text = f"release {release.digest} of source {source_id!r}: the bucket lacks {lost}; {advice}"
        yield Finding(Kind.LOST_OBJECT, text, repaired)

    def _unnamed(self, pointers: Pointers) -> list[_ReleaseDirectory]:
        """The directories that no pointer names."""
        youngest: dict[tuple[str, str], datetime] = {}
        for listed in self._clients.objects(RELEASES_PREFIX):
            source_id, _, rest = listed.key.removeprefix(RELEASES_PREFIX).partition("/")
            directory, slash, _ = rest.partition("/")
            if slash:
                moment = listed.last_modified
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
        repaired = False
        if self._repair:
            # A running sync removes it itself.
            with suppress(BusyError), store.lease():
                if directory.name in _directories(_pointer(store)):
                    return
                store.discard(directory.name)
                repaired = True
        text = f"no release has the objects below {release_prefix(directory.source_id, directory.name)}"
        yield Finding(Kind.UNUSED_OBJECT, text, repaired)

    def _store(self, source_id: str) -> TableReleaseStore:
        return TableReleaseStore(self._clients, source_id, copies=self._copies)


def _sources(found: TableContents) -> Iterator[Finding]:
    sources: list[Source] = []
    for source_id, text in texts_of_sources(found.sources).items():
        try:
            sources.append(parse_source(source_id, text.encode()))
        except DocumentError as error:
            text = f"source {source_id!r} is not synced: {error}; import it again"
            yield Finding(Kind.UNREADABLE, text)
    _, refused = apart(sources)
    for source_id, why in refused.items():
        yield Finding(Kind.NOTE, f"source {source_id!r} is not synced: {why}")


def _directories(pointer: Pointer | None) -> set[str]:
    return set() if pointer is None else {release.directory for release in pointer.releases}


def _pointer(store: TableReleaseStore) -> Pointer | None:
    """The pointer; None if it is absent, or damaged, which is a finding of its own."""
    try:
        return store.pointer()
    except ReleaseStoreError:
        return None


def _lost(store: TableReleaseStore, release: Release) -> str | None:
    """The files of the release that the bucket lacks, for an operator; None if it is complete."""
    text = store.read(release.directory, RECORD)
    record = None if text is None else record_in(text)
    if record is None:
        return f"its {RECORD}"
    lost = record.lacks(store.sizes(release.directory))
    sizes = {name: f" with its {file.size} bytes" for name, file in record.files.items()}
    return ", ".join(f"{name!r}{sizes.get(name, '')}" for name in lost) or None


def _removed(store: TableReleaseStore, pointer: Pointer, release: Release) -> bool:
    rest = tuple(one for one in pointer.releases if one != release)
    try:
        store.move(pointer, pointer._replace(releases=rest))
    except MovedError:
        # A sync published meanwhile: the next check finds it again.
        return False
    except CopiesError:
        # Which is a finding of its own.
        pass
    return True
