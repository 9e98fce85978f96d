"""Syncs of a source that names its signer."""

import json
from collections.abc import Iterator

import pytest

from lambda_matchbox.oci.signatures.signers import KeySigner, VerifiedSignature
from lambda_matchbox.releases.pointers import RECORD, rolled_back
from lambda_matchbox.releases.records import record_in
from tests.support.faulty_registry import Fault
from tests.support.images.signatures import TAG, attach, fingerprint, new_key, public_pem, simple_signing
from tests.unit.image_sync.sync_subject import NEW, OLD, REPOSITORY, Subject, completes, fails, new_subject

pytestmark = pytest.mark.system

KEY, OTHER_KEY = new_key(), new_key()
NAME = f"the key sha256:{fingerprint(public_pem(KEY))}"
OLD_SIGNATURE, NEW_SIGNATURE = (simple_signing(KEY, one.digest) for one in (OLD, NEW))


@pytest.fixture
def subject() -> Iterator[Subject]:
    """A source that was synced once, at OLD, which is signed; its tag has moved to NEW, which is not."""
    with new_subject() as subject:
        subject.source = subject.source._replace(signer=KeySigner(public_pem(KEY)))
        attach(subject.faulty, REPOSITORY, subject.tag(OLD), [OLD_SIGNATURE], TAG)
        subject.sync()
        subject.tag(NEW)
        yield subject


def test_record_names_the_signature(subject: Subject) -> None:
    signature = VerifiedSignature(OLD.digest, NAME)
    record = subject.files()[RECORD]
    assert signature._asdict() == json.loads(record)["signature"]
    read = record_in(record)
    assert read is not None
    assert (signature, record) == (read.signature, read.document())


def test_unsigned_image_is_refused_until_it_is_signed(subject: Subject) -> None:
    start = f"talos-arm64: {subject.source.image} ({NEW.digest}): cannot verify the signature: "
    assert f"{start}the registry has no signature of {NEW.digest}; sign" in fails(subject)
    attach(subject.faulty, REPOSITORY, NEW, [NEW_SIGNATURE], TAG)
    completes(subject)
    assert VerifiedSignature(NEW.digest, NAME) == subject.sync().signature


def test_refused_image_is_not_downloaded(subject: Subject) -> None:
    before = len(subject.faulty.at("storage"))
    fails(subject)
    assert before == len(subject.faulty.at("storage"))


def test_stale_signature_replayed_for_a_newer_tag_is_refused(subject: Subject) -> None:
    attach(subject.faulty, REPOSITORY, NEW, [OLD_SIGNATURE], TAG)
    assert f"it is of another image, {OLD.digest}" in fails(subject)


def test_unavailable_registry_is_not_an_unsigned_image(subject: Subject) -> None:
    attach(subject.faulty, REPOSITORY, NEW, [NEW_SIGNATURE], TAG)
    subject.faulty.faults.append(Fault("manifest", times=100, status=503, of=f"{NEW.digest.replace(':', '-')}.sig"))
    assert "cannot verify the signature: " in (line := fails(subject))
    assert "answers 503 (given up after " in line
    completes(subject)


def test_current_release_is_verified_again_under_another_key(subject: Subject) -> None:
    subject.tag(OLD)
    subject.source = subject.source._replace(signer=KeySigner(public_pem(OTHER_KEY)))
    assert "it is not by this key" in fails(subject)


def test_kept_release_that_nobody_signed_is_not_served_again() -> None:
    with new_subject() as subject:
        for one in (NEW, OLD):
            subject.tag(one)
            subject.sync()
        subject.source = subject.source._replace(signer=KeySigner(public_pem(KEY)))
        subject.tag(NEW)
        assert "cannot verify the signature: " in fails(subject)


def test_held_source_needs_no_signature(subject: Subject) -> None:
    attach(subject.faulty, REPOSITORY, NEW, [NEW_SIGNATURE], TAG)
    subject.sync()
    subject.store.move(subject.pointer, rolled_back(subject.pointer, None, subject.now))
    subject.source = subject.source._replace(signer=KeySigner(public_pem(OTHER_KEY)))
    assert subject.sync().held
