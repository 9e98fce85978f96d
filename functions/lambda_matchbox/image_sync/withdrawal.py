"""Withdrawal of the releases of a source."""

from collections.abc import Collection

from lambda_matchbox.image_sync.sources import SourceStores
from lambda_matchbox.releases.pointers import Pointers
from lambda_matchbox.releases.sources import Source, overlap
from lambda_matchbox.releases.store import CopiesError, ReleaseStore, ReleaseStoreError


def withdraw(store: ReleaseStore) -> None:
    """Stop serving the source, and remove its files.

    Raises ReleaseStoreError: during a sync of the source, and where its pointer is moved at the same time. After a
    CopiesError it is withdrawn all the same.
    """
    incomplete = None
    with store.lease() as lease:
        try:
            store.move(store.pointer(), None, lease)
        except CopiesError as error:
            incomplete = error
        for directory in store.directories():
            store.discard(directory)
    if incomplete is not None:
        raise incomplete


def withdraw_replaced(source: Source, named: Collection[str], pointers: Pointers, stores: SourceStores) -> list[str]:
    """Once the source has a release, withdraw those of removed sources that overlap its part of /assets/.

    So a renamed source does not leave its old releases in service. `named` are the ids of existing sources, `pointers`
    those of all. Returns the withdrawn ids.
    """
    if source.id not in pointers:
        return []
    withdrawn = []
    for source_id, pointer in pointers.items():
        if source_id in named or not overlap(source.assets, pointer.assets):
            continue
        try:
            withdraw(stores.releases(source_id))
        except CopiesError:
            # The end of the run completes the copies, or says why it cannot.
            pass
        except ReleaseStoreError:
            # Left to the next sync.
            continue
        withdrawn.append(source_id)
    return withdrawn
