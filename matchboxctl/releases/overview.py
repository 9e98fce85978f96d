"""What image sources say, and what is served of them."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

from lambda_matchbox.image_sync.sources import ImageSources, SourceStores
from lambda_matchbox.releases.pointers import RECORD, Pointer, Pointers, Release
from lambda_matchbox.releases.records import ReleaseRecord, record_in
from lambda_matchbox.releases.sources import Source
from lambda_matchbox.releases.store import ReleaseStoreError
from matchboxctl.cli.errors import FailedError

_THREADS = 8


class SourceState(NamedTuple):
    """A source, None for one that is removed or invalid; its pointer, and when it was last up to date.

    `current` is the served release and `record` its record, None where nothing is served or it is missing; `checked`
    is in seconds since 1970.
    """

    id: str
    source: Source | None
    pointer: Pointer | None
    current: Release | None
    record: ReleaseRecord | None
    checked: int | None


class SourceStates(NamedTuple):
    """The states of some sources, and a message for each source that is invalid."""

    states: Sequence[SourceState]
    refused: Sequence[str]


def source_states(stores: SourceStores, ids: Sequence[str]) -> SourceStates:
    """The states of the sources with these ids. Raises FailedError."""
    found, pointers = stores.sources(), stores.pointers()
    with ThreadPoolExecutor(_THREADS) as threads:
        states = list(threads.map(partial(_state, stores, found, pointers), ids))
    return SourceStates(states, found.refused)


def _state(stores: SourceStores, found: ImageSources, pointers: Pointers, source_id: str) -> SourceState:
    store, pointer = stores.releases(source_id), pointers.get(source_id)
    current = None if pointer is None else pointer.release(pointer.current)
    try:
        text = None if current is None else store.read(current.directory, RECORD)
        record = None if text is None else record_in(text)
        return SourceState(source_id, found.sources.get(source_id), pointer, current, record, store.checked())
    except ReleaseStoreError as error:
        raise FailedError(f"{source_id}: {error}") from error
