"""Taking the releases of a source out of service."""

from collections.abc import Callable, Collection

from lambda_matchbox.releases.pointers import Pointers
from lambda_matchbox.releases.sources import Source
from lambda_matchbox.releases.store import ReleaseStore, ReleaseStoreError


def withdraw(store: ReleaseStore) -> None:
    """Serve nothing of the source any more, and remove its files.

    Raises ReleaseStoreError: while it is synced, and where somebody moves its pointer at this moment.
    """
    with store.lease() as lease:
        store.move(store.pointer(), None, lease)
        for directory in store.directories():
            store.discard(directory)


def withdraw_replaced(
    source: Source, named: Collection[str], pointers: Pointers, store: Callable[[str], ReleaseStore]
) -> list[str]:
    """Withdraw what sources that are `named` no longer have below this source's part of /assets/, or above it.

    So a source that was renamed does not leave its releases in service. Returns the ids of those withdrawn.
    """
    own = f"{source.assets}/"
    withdrawn = []
    for source_id, pointer in pointers.items():
        theirs = f"{pointer.assets}/"
        if source_id in named or not (own.startswith(theirs) or theirs.startswith(own)):
            continue
        try:
            withdraw(store(source_id))
        except ReleaseStoreError:
            # The next sync sees to it.
            continue
        withdrawn.append(source_id)
    return withdrawn
