"""Whether a source is as it should be, from what is known of it before its sync."""

from typing import NamedTuple

from lambda_matchbox.releases.pointers import RECORD, Pointer, directory_prefix, pruned
from lambda_matchbox.releases.records import ReleaseRecord, record_in
from lambda_matchbox.releases.sources import Source
from lambda_matchbox.releases.store import ReleaseStore


class Known(NamedTuple):
    """The pointer of a source as it was read before, and records by their releases' directories, which never change."""

    pointer: Pointer
    records: dict[str, ReleaseRecord]


def is_tidy(source: Source, store: ReleaseStore, known: Known, now: int) -> bool:
    """Whether bucket or disk have what the pointer names, and nothing else; the record that it reads becomes known."""
    pointer, stored = known.pointer, store.directories()
    directories = {release.directory for release in pointer.releases}
    if not stored.keys() <= directories or pruned(pointer, source.keep, now) != pointer:
        return False
    current = pointer.release(pointer.current)
    if pointer.held or current is None:
        return pointer.held
    record = known.records.get(current.directory)
    if record is None and (text := store.read(current.directory, RECORD)) is not None:
        record = record_in(text)
    sizes = stored.get(current.directory, {})
    if record is None or RECORD not in sizes or record.lacks(sizes):
        return False
    known.records[current.directory] = record
    return True


def is_current(source: Source, digest: str, pointer: Pointer) -> bool:
    """Whether that image's files are served where the source wants them."""
    release = pointer.release(digest)
    return (
        release is not None
        and release.directory.startswith(directory_prefix(digest, source))
        and (pointer.current, pointer.assets) == (digest, source.assets)
    )
