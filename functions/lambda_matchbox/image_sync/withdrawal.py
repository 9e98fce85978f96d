"""Withdrawal of the releases of a source."""

from collections.abc import Collection

from lambda_matchbox.image_sync.sources import SourceStores
from lambda_matchbox.releases.sources import Source, overlap
from lambda_matchbox.releases.store import ReleaseStore, ReleaseStoreError


def withdraw(store: ReleaseStore) -> None:
    """Stop serving the source, and remove its files.

    Raises ReleaseStoreError: during a sync of the source, and where its pointer is moved at the same time.
    """
    with store.lease() as lease:
        store.move(store.pointer(), None, lease)
        for directory in store.directories():
            store.discard(directory)


def withdraw_replaced(source: Source, named: Collection[str], stores: SourceStores) -> list[str]:
    """Once the source has a release, withdraw those of removed sources that overlap its part of /assets/.

    So a renamed source does not leave its old releases in service. `named` are the ids of existing sources. Returns the
    withdrawn ids.
    """
    pointers = stores.pointers()
    if source.id not in pointers:
        return []
    withdrawn = []
    for source_id, pointer in pointers.items():
        if source_id in named or not overlap(source.assets, pointer.assets):
            continue
        try:
            withdraw(stores.releases(source_id))
        except ReleaseStoreError:
            # Left to the next sync.
            continue
        withdrawn.append(source_id)
    return withdrawn
