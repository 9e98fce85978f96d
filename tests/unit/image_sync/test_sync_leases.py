"""Two syncs of one source: one at a time, and a lost lease changes nothing."""

from collections.abc import Iterator

import pytest

from lambda_matchbox.image_sync.sync import SyncError
from lambda_matchbox.releases.pointers import Release, published
from lambda_matchbox.releases.store import BusyError
from tests.unit.image_sync.sync_subject import NOON, OLD, Subject, moved_tag

pytestmark = pytest.mark.system


@pytest.fixture
def subject() -> Iterator[Subject]:
    """A source whose tag was synced once, at OLD, and has moved to NEW."""
    with moved_tag() as subject:
        yield subject


def test_second_sync_changes_nothing(subject: Subject) -> None:
    subject.faulty.requests.clear()
    subject.releases.leases["talos-arm64"] = "another's"
    with pytest.raises(BusyError, match="another sync of 'talos-arm64' is running"):
        subject.sync()
    assert [] == subject.faulty.requests
    assert {"talos-arm64": "another's"} == subject.releases.leases


def test_lost_lease_publishes_nothing(subject: Subject) -> None:
    """The newer sync resolved a newer image and has ended."""
    newest = Release("sha256:" + "9" * 64, "newest", NOON)
    overtaken = published(subject.pointer, subject.source, newest, NOON)

    def overtake() -> None:
        subject.releases.leases["talos-arm64"] = "another's"
        subject.releases.served["talos-arm64"] = overtaken

    subject.store.before["put"] = overtake
    with pytest.raises(SyncError, match="cannot make the release current: another sync of 'talos-arm64' has begun"):
        subject.sync()
    assert overtaken == subject.pointer


@pytest.mark.parametrize("verb", ["pointer", "sizes"])
def test_a_lost_lease_removes_nothing(subject: Subject, verb: str) -> None:
    subject.tag(OLD)

    def overtake() -> None:
        subject.releases.leases["talos-arm64"] = "another's"
        subject.releases.stored["talos-arm64", "newest"] = {"vmlinuz": b"newest"}

    subject.store.before[verb] = overtake
    assert not subject.sync().changed
    assert {"newest"} == subject.leftovers
