"""A sync that knows the pointer and finds nothing new takes no lease, and any other one goes the whole way."""

from collections.abc import Callable, Iterator
from itertools import count

import pytest

from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.image_sync.sync import Outcome, SyncError
from lambda_matchbox.image_sync.unchanged import Known
from lambda_matchbox.oci.signatures.signers import KeySigner, VerifiedSignature
from lambda_matchbox.releases.pointers import GRACE, RECORD, rolled_back
from lambda_matchbox.releases.store import BusyError
from tests.support.images.signatures import TAG, attach, fingerprint, new_key, public_pem, simple_signing
from tests.unit.image_sync.sync_subject import NEW, OLD, REPOSITORY, Subject, moved_tag, new_subject

pytestmark = pytest.mark.system

UNCHANGED = Outcome("talos-arm64", OLD.digest, changed=False, held=False)
READS = {"directories", "read", "note_checked"}


@pytest.fixture
def subject() -> Iterator[Subject]:
    """A source that was synced at OLD, where its tag is."""
    with new_subject() as subject:
        subject.tag(OLD)
        subject.sync()
        yield subject


def again(subject: Subject) -> Outcome:
    """A sync that knows the pointer."""
    return subject.sync(known=Known(subject.pointer, {}))


def verbs(subject: Subject) -> set[str]:
    return {verb for verb, _ in subject.store.calls}


def test_nothing_new_is_noted_without_a_lease(subject: Subject) -> None:
    before = subject.pointer
    subject.faulty.requests.clear()
    assert again(subject) == UNCHANGED
    assert (before, READS) == (subject.pointer, verbs(subject))
    assert subject.now == subject.releases.checks["talos-arm64"]
    assert {f"/v2/{REPOSITORY}/manifests/stable"} == set(subject.faulty.targets("registry"))


def test_another_sync_does_not_delay_it(subject: Subject) -> None:
    subject.releases.leases["talos-arm64"] = "another's"
    assert again(subject) == UNCHANGED
    subject.tag(NEW)
    with pytest.raises(BusyError):
        again(subject)


def test_held_release_stays(subject: Subject) -> None:
    subject.tag(NEW)
    subject.sync()
    subject.releases.served["talos-arm64"] = rolled_back(subject.pointer, None, subject.now)
    assert again(subject) == UNCHANGED._replace(held=True)
    assert {"directories", "note_checked"} == verbs(subject)


def test_record_is_read_once(subject: Subject) -> None:
    """Unless it is gone."""
    known = Known(subject.pointer, {})
    for read in (["release.json"], []):
        assert subject.sync(known=known) == UNCHANGED
        assert read == subject.store.named("read")
    lose_the_record(subject)
    assert subject.sync(known=known).changed


def lose_a_file(subject: Subject) -> None:
    del subject.releases.stored["talos-arm64", subject.pointer.releases[0].directory]["vmlinuz"]


def lose_the_record(subject: Subject) -> None:
    del subject.releases.stored["talos-arm64", subject.pointer.releases[0].directory][RECORD]


def leave_files(subject: Subject) -> None:
    subject.releases.stored["talos-arm64", "killed"] = {"vmlinuz": b"half"}


def move_assets(subject: Subject) -> None:
    subject.source = subject.source._replace(assets="elsewhere")


def choose_other_files(subject: Subject) -> None:
    subject.source = subject.source._replace(files={"kernel": ("output/talos/arm64/vmlinuz",)})


def push(subject: Subject) -> None:
    subject.tag(NEW)


@pytest.mark.parametrize("change", [lose_a_file, lose_the_record, leave_files, move_assets, choose_other_files, push])
def test_anything_else_goes_the_whole_way(subject: Subject, change: Callable[[Subject], None]) -> None:
    change(subject)
    outcome = again(subject)
    assert (change is not leave_files, subject.source.assets) == (outcome.changed, subject.pointer.assets)
    assert "lease" in verbs(subject)
    assert set() == subject.leftovers
    # The release before is kept for a while.
    subject.sync()
    again(subject)
    assert READS == verbs(subject)


def test_release_that_is_no_longer_kept_is_removed() -> None:
    with moved_tag() as subject:
        subject.source = subject.source._replace(keep=1)
        subject.sync()
        for _ in count(1):
            again(subject)
            if "lease" in verbs(subject):
                break
            assert subject.now < subject.pointer.moved + 2 * GRACE
        assert [NEW.digest] == [one.digest for one in subject.pointer.releases]


def test_signature_is_verified_each_time(subject: Subject) -> None:
    """The source's key may be another one since."""
    key, other = new_key(), new_key()
    attach(subject.faulty, REPOSITORY, OLD, [simple_signing(key, OLD.digest)], TAG)
    subject.source = subject.source._replace(signer=KeySigner(public_pem(key)))
    signature = VerifiedSignature(OLD.digest, f"the key sha256:{fingerprint(public_pem(key))}")
    assert again(subject) == UNCHANGED._replace(signature=signature)
    assert "lease" not in verbs(subject)
    subject.source = subject.source._replace(signer=KeySigner(public_pem(other)))
    with pytest.raises(SyncError, match="cannot verify the signature"):
        again(subject)


@pytest.mark.parametrize(
    ("verb", "step"),
    [("directories", "check the stored files"), ("read", "check the stored files"), ("note_checked", "note the check")],
)
def test_unavailable_store_is_an_error(subject: Subject, verb: str, step: str) -> None:
    def away() -> None:
        raise StoreUnavailableError("it does not answer")

    subject.store.before[verb] = away
    with pytest.raises(SyncError, match=f": cannot {step}: it does not answer"):
        again(subject)
