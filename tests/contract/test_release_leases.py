"""The lease of a source: one holder at a time, and none for ever."""

import time

import pytest

from lambda_matchbox.aws.releases.lease import SyncLeases
from lambda_matchbox.releases.store import BusyError, LeaseLostError, MovedError, ReleaseStore
from tests.contract.release_subjects import ON_SERVICES, OnStores, ReleaseSubject, pointer
from tests.rigs.catalog_table import ENOUGH

IN_DATA = pytest.mark.parametrize("releases", ["memory", *ON_SERVICES], indirect=True)
"""Leases that are data, which somebody else may change while their holder lives; a lock is not."""
OF_PROCESSES = pytest.mark.parametrize("releases", ["directory", *ON_SERVICES], indirect=True)
"""Leases that outlive this process."""


@pytest.fixture
def store(releases: ReleaseSubject) -> ReleaseStore:
    return releases.store("arm")


def test_lease_has_one_holder(releases: ReleaseSubject, store: ReleaseStore) -> None:
    with store.lease() as lease:
        for other in (store, releases.store("arm")):
            with pytest.raises(BusyError, match="another sync of 'arm' is running"), other.lease():
                pass
        store.move(None, pointer("a"), lease)
    with pytest.raises(ZeroDivisionError), store.lease():
        _ = 1 / 0
    with releases.store("arm").lease() as second:
        releases.store("arm").move(pointer("a"), pointer("b"), second)


def test_operator_moves_the_pointer_during_a_sync(releases: ReleaseSubject, store: ReleaseStore) -> None:
    store.move(None, pointer("a"))
    with store.lease() as lease:
        releases.store("arm").move(pointer("a"), pointer("a", held=True))
        with pytest.raises(MovedError):
            store.move(pointer("a"), pointer("b"), lease)
        store.move(pointer("a", held=True), pointer("c"), lease)
    assert pointer("c") == store.pointer()


@IN_DATA
def test_lost_lease_publishes_nothing(releases: ReleaseSubject, store: ReleaseStore) -> None:
    assert releases.usurp is not None
    store.move(None, pointer("a"))
    with store.lease() as lease:
        releases.usurp("arm")
        for new in (pointer("b"), None):
            with pytest.raises(LeaseLostError, match="another sync of 'arm' has begun"):
                store.move(pointer("a"), new, lease)
        with pytest.raises(MovedError):
            store.move(pointer("b"), pointer("c"), lease)
    assert pointer("a") == store.pointer()
    with pytest.raises(BusyError), store.lease():
        pass


@IN_DATA
def test_ended_lease_publishes_nothing(releases: ReleaseSubject, store: ReleaseStore) -> None:
    with store.lease() as lease:
        pass
    with pytest.raises(LeaseLostError):
        store.move(None, pointer("a"), lease)
    assert store.pointer() is None


@OF_PROCESSES
def test_lease_of_a_killed_process_ends(releases: ReleaseSubject, store: ReleaseStore) -> None:
    assert releases.kill_holder is not None
    releases.kill_holder("arm")
    end = time.monotonic() + ENOUGH
    while True:
        try:
            with store.lease() as lease:
                store.move(None, pointer("a"), lease)
            break
        except BusyError:
            assert time.monotonic() < end
            time.sleep(0.1)
    assert pointer("a") == store.pointer()


def test_lease_is_renewed(stored: OnStores) -> None:
    store = stored.store("arm", 3.0)
    with store.lease() as lease:
        first = stored.lease_end("arm")
        end = time.monotonic() + ENOUGH
        while stored.lease_end("arm") == first:
            assert time.monotonic() < end
            time.sleep(0.1)
        store.move(None, pointer("a"), lease)


@pytest.mark.parametrize("stored", ON_SERVICES, indirect=True)
def test_lease_may_be_acquired_again_by_its_holder(stored: OnStores) -> None:
    """As boto3 does where a response was lost."""
    leases = SyncLeases(stored.stores.light_clients(), "arm")
    for _ in range(2):
        leases._acquire("one")
    with pytest.raises(BusyError):
        leases._acquire("other")
