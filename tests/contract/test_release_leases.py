"""Who may publish releases of a source: one at a time, wherever they lie, and nobody for ever."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from lambda_matchbox.aws.releases.lease import SyncLeases
from lambda_matchbox.releases.store import BusyError, LeaseLostError, MovedError
from tests.contract.release_subjects import ON_SERVICES, OnStores, ReleaseSubject, pointer
from tests.rigs.catalog_table import ENOUGH

if TYPE_CHECKING:
    from lambda_matchbox.releases.store import ReleaseShelf

IN_DATA = pytest.mark.parametrize("releases", ["memory", *ON_SERVICES], indirect=True)
"""Leases that are data, which somebody else may change while their holder lives; a lock is not."""
OF_PROCESSES = pytest.mark.parametrize("releases", ["directory", *ON_SERVICES], indirect=True)
"""Leases that outlive this process."""


@pytest.fixture
def shelf(releases: ReleaseSubject) -> ReleaseShelf:
    return releases.shelf("arm")


def test_lease(releases: ReleaseSubject, shelf: ReleaseShelf) -> None:
    """One at a time has the lease of a source; afterwards it is free, also where its holder failed."""
    with shelf.lease() as lease:
        for other in (shelf, releases.shelf("arm")):
            with pytest.raises(BusyError, match="another sync of 'arm' is under way"), other.lease():
                pass
        shelf.move(None, pointer("a"), lease)
    with pytest.raises(ZeroDivisionError), shelf.lease():
        _ = 1 / 0
    with releases.shelf("arm").lease() as second:
        releases.shelf("arm").move(pointer("a"), pointer("b"), second)


def test_moves_without_a_lease(releases: ReleaseSubject, shelf: ReleaseShelf) -> None:
    """An operator moves the pointer while a sync is under way, which then has to look again."""
    shelf.move(None, pointer("a"))
    with shelf.lease() as lease:
        releases.shelf("arm").move(pointer("a"), pointer("a", held=True))
        with pytest.raises(MovedError):
            shelf.move(pointer("a"), pointer("b"), lease)
        shelf.move(pointer("a", held=True), pointer("c"), lease)
    assert pointer("c") == shelf.pointer()


@IN_DATA
def test_lost_lease(releases: ReleaseSubject, shelf: ReleaseShelf) -> None:
    """Whoever lost the lease publishes nothing, and does not take it from the other one when it ends."""
    assert releases.usurp is not None
    shelf.move(None, pointer("a"))
    with shelf.lease() as lease:
        releases.usurp("arm")
        for new in (pointer("b"), None):
            with pytest.raises(LeaseLostError, match="another sync of 'arm' has begun"):
                shelf.move(pointer("a"), new, lease)
        with pytest.raises(MovedError):
            shelf.move(pointer("b"), pointer("c"), lease)
    assert pointer("a") == shelf.pointer()
    with pytest.raises(BusyError), shelf.lease():
        pass


@IN_DATA
def test_ended_lease(releases: ReleaseSubject, shelf: ReleaseShelf) -> None:
    """A lease that has ended publishes nothing."""
    with shelf.lease() as lease:
        pass
    with pytest.raises(LeaseLostError):
        shelf.move(None, pointer("a"), lease)
    assert shelf.pointer() is None


@OF_PROCESSES
def test_killed_holder(releases: ReleaseSubject, shelf: ReleaseShelf) -> None:
    """The lease of a process that was killed ends by itself."""
    assert releases.kill_holder is not None
    releases.kill_holder("arm")
    end = time.monotonic() + ENOUGH
    while True:
        try:
            with shelf.lease() as lease:
                shelf.move(None, pointer("a"), lease)
            break
        except BusyError:
            assert time.monotonic() < end
            time.sleep(0.1)
    assert pointer("a") == shelf.pointer()


def test_renewed_lease(stored: OnStores) -> None:
    """A lease in the table is renewed as long as its holder lives."""
    shelf = stored.shelf("arm", 3.0)
    with shelf.lease() as lease:
        first = stored.lease_end("arm")
        end = time.monotonic() + ENOUGH
        while stored.lease_end("arm") == first:
            assert time.monotonic() < end
            time.sleep(0.1)
        shelf.move(None, pointer("a"), lease)


@pytest.mark.parametrize("stored", ON_SERVICES, indirect=True)
def test_lease_that_is_taken_twice(stored: OnStores) -> None:
    """Where the answer was lost, the same question has the lease; another one has not."""
    with closing(stored.stores.tables.client("dynamodb")) as client:
        leases = SyncLeases(client, stored.stores.name, "arm")
        for _ in range(2):
            leases._take("one")
        with pytest.raises(BusyError):
            leases._take("other")
