"""Which signatures in a registry are good for an image, and what is said of the others."""

import json

import pytest

from lambda_matchbox.oci.errors import SignatureError
from lambda_matchbox.oci.signatures.signers import KeylessSigner, VerifiedSignature
from tests.support.images.manifests import OCI_INDEX, OCI_MANIFEST, Image, digest_of, image, index
from tests.support.images.signatures import (
    BUNDLE,
    FALLBACK,
    REFERRER,
    SIMPLE_SIGNING,
    TAG,
    SignatureLayer,
    bundled,
    referrers,
    signatures,
    simple_signing,
    statement,
)
from tests.support.images.sigstore_instance import SigstoreInstance
from tests.unit.oci.signatures.signed_image import IMAGE, INDEX, KEY, NAME, OTHER_KEY, REPOSITORY, Subject

pytestmark = pytest.mark.system


def enveloped(**fields: object) -> bytes:
    """A good bundle with other fields in its envelope."""
    bundle = json.loads(bundled(KEY, statement(INDEX.digest)).body)
    return json.dumps({**bundle, "dsseEnvelope": {**bundle["dsseEnvelope"], **fields}}).encode()


ATTESTATION = "https://cosign.sigstore.dev/attestation/vuln/v1"
OTHER = image([], labels={"c": "d"})


@pytest.mark.parametrize("where", [TAG, REFERRER, FALLBACK])
@pytest.mark.parametrize("signed", [INDEX, IMAGE], ids=["index", "manifest"])
@pytest.mark.parametrize("form", ["simple", "bundle"])
def test_signature_of_index_or_manifest_suffices_wherever_it_lies(
    subject: Subject, where: str, signed: Image, form: str
) -> None:
    layer = simple_signing(KEY, signed.digest) if form == "simple" else bundled(KEY, statement(signed.digest))
    subject.attach(signed, layer, where=where)
    assert VerifiedSignature(signed.digest, NAME) == subject.verify()


def test_signature_of_a_nested_index_suffices(subject: Subject) -> None:
    outer = index([(INDEX, "")])
    subject.tag(outer)
    subject.attach(INDEX, simple_signing(KEY, INDEX.digest))
    assert INDEX.digest == subject.verify().digest


def test_one_good_signature_among_others_suffices(subject: Subject) -> None:
    good = simple_signing(KEY, INDEX.digest)
    damaged = good._replace(annotations={"dev.cosignproject.cosign/signature": "%"})
    subject.attach(INDEX, simple_signing(OTHER_KEY, INDEX.digest), damaged, SignatureLayer("text/plain", b"x"), good)
    assert INDEX.digest == subject.verify().digest


def attach_unreadable(subject: Subject, what: str) -> None:
    """A signature that cannot be read, under the tag or in the list of referrers, before a good one in that list."""
    tag, good = INDEX.digest.replace(":", "-"), bundled(KEY, statement(INDEX.digest))
    subject.attach(INDEX, good, where=FALLBACK)
    if what == "index":
        return subject.faulty.add(REPOSITORY, f"{tag}.sig", INDEX)
    if what == "text":
        return subject.faulty.add_manifest(REPOSITORY, f"{tag}.sig", OCI_MANIFEST, b"text")
    listed = referrers([good], INDEX)
    (entry,) = listed.document["manifests"]
    if what == "absent":
        bad = {**entry, "digest": f"sha256:{'0' * 64}"}
    elif what == "size":
        bad = {**entry, "size": entry["size"] + 1}
    else:
        other = signatures([SignatureLayer(BUNDLE, b"lost")], INDEX)
        subject.faulty.add(REPOSITORY, "other", other)
        subject.faulty.lose_blob(digest_of(b"lost"))
        bad = {**entry, "digest": other.digest, "size": len(other.manifests[other.digest][1])}
    body = json.dumps({**listed.document, "manifests": [bad, entry]}).encode()
    return subject.faulty.add_manifest(REPOSITORY, tag, OCI_INDEX, body)


@pytest.mark.parametrize("what", ["index", "text", "absent", "size", "lost-blob"])
def test_unreadable_signature_beside_a_good_one_is_one_bad_signature(subject: Subject, what: str) -> None:
    attach_unreadable(subject, what)
    assert VerifiedSignature(INDEX.digest, NAME) == subject.verify()


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (INDEX.manifests[INDEX.digest][1], "it is an index, not an image"),
        (b"text", "invalid JSON: "),
        (b'{"layers": [{"size": -1}]}', "config: not a descriptor"),
    ],
)
def test_tag_that_names_no_signatures_is_a_refusal(subject: Subject, body: bytes, why: str) -> None:
    tag = f"{INDEX.digest.replace(':', '-')}.sig"
    subject.faulty.add_manifest(REPOSITORY, tag, OCI_MANIFEST if b"layers" in body else OCI_INDEX, body)
    assert f"one of {INDEX.digest} is refused: {subject.reference}: tag {tag}: {why}" in subject.refusal()


def test_unsigned_image_is_refused(subject: Subject) -> None:
    expected = f"the registry has no signature of {INDEX.digest} and {IMAGE.digest}; sign the image for {NAME}, "
    assert subject.refusal().startswith(expected)


def test_signature_by_another_key_is_refused(subject: Subject) -> None:
    subject.attach(INDEX, simple_signing(OTHER_KEY, INDEX.digest))
    subject.attach(INDEX, bundled(OTHER_KEY, statement(INDEX.digest)), where=FALLBACK)
    why = f"one of {INDEX.digest} is refused: it is not by this key, or its payload was changed"
    assert f"no signature by {NAME}: {why}; {why}" == subject.refusal()


def test_another_images_signature_is_refused(subject: Subject) -> None:
    subject.attach(INDEX, simple_signing(KEY, OTHER.digest))
    subject.attach(INDEX, bundled(KEY, statement(OTHER.digest)), where=FALLBACK)
    why = f"one of {INDEX.digest} is refused: it is of another image, {OTHER.digest}"
    assert f"no signature by {NAME}: {why}; {why}" == subject.refusal()


@pytest.mark.parametrize("form", ["simple", "bundle"])
def test_changed_payload_is_refused(subject: Subject, form: str) -> None:
    made = simple_signing(KEY, OTHER.digest) if form == "simple" else bundled(KEY, statement(OTHER.digest))
    if form == "simple":
        body = made.body.replace(OTHER.digest.encode(), INDEX.digest.encode())
    else:
        forged = bundled(OTHER_KEY, statement(INDEX.digest))
        envelopes = [json.loads(layer.body)["dsseEnvelope"] for layer in (made, forged)]
        envelope = {**envelopes[1], "signatures": envelopes[0]["signatures"]}
        body = json.dumps({**json.loads(made.body), "dsseEnvelope": envelope}).encode()
    subject.attach(INDEX, made._replace(body=body), where=TAG if form == "simple" else FALLBACK)
    assert subject.refusal().endswith("it is not by this key, or its payload was changed")


def test_signed_index_does_not_cover_a_manifest_that_is_named_directly(subject: Subject) -> None:
    subject.attach(INDEX, simple_signing(KEY, INDEX.digest))
    assert subject.refusal(IMAGE.digest).startswith(f"the registry has no signature of {IMAGE.digest}; ")


def test_signed_index_does_not_cover_another_index_of_the_tag(subject: Subject) -> None:
    subject.attach(INDEX, simple_signing(KEY, INDEX.digest))
    subject.tag(index([(OTHER, "linux/arm64"), (IMAGE, "linux/arm64/v7")]))
    assert subject.refusal().startswith("the registry has no signature of ")


@pytest.mark.parametrize(
    ("layer", "why"),
    [
        (bundled(KEY, statement(INDEX.digest, ATTESTATION)), f"it is an attestation {ATTESTATION!r}"),
        (bundled(KEY, statement(INDEX.digest), "text/plain"), "its payload has the unknown type 'text/plain'"),
        (bundled(KEY, b"{}"), "its payload is not one of application/vnd.in-toto+json"),
        (bundled(KEY, b"["), "its payload is not one of application/vnd.in-toto+json"),
        (SignatureLayer(BUNDLE, b"{}"), "its bundle has no DSSE envelope with one signature"),
        (SignatureLayer(BUNDLE, b"[" * 100_000), "its bundle has no DSSE envelope with one signature"),
        (SignatureLayer(BUNDLE, enveloped(payloadType="\ud800")), "its bundle has no DSSE envelope with one signature"),
        (SignatureLayer(BUNDLE, enveloped(payloadType=7)), "its bundle has no DSSE envelope with one signature"),
        (SignatureLayer(BUNDLE, enveloped(signatures=[])), "its bundle has no DSSE envelope with one signature"),
        (SignatureLayer(BUNDLE, enveloped(signatures=[{"sig": ""}] * 2)), "no DSSE envelope with one signature"),
        (SignatureLayer(BUNDLE, enveloped(signatures=[{"sig": "\u20ac"}])), "its signature is not in base64"),
        (simple_signing(KEY, INDEX.digest, type="atomic"), "it signs a 'atomic', not a 'cosign container"),
        (simple_signing(KEY, INDEX.digest, image=None), f"its payload is not one of {SIMPLE_SIGNING}"),
        (SignatureLayer(SIMPLE_SIGNING, b"{}"), "it is not by this key"),
    ],
)
def test_other_things_are_not_signatures_of_the_image(subject: Subject, layer: SignatureLayer, why: str) -> None:
    subject.attach(INDEX, layer)
    assert why in subject.refusal()


@pytest.fixture(scope="module")
def instance() -> SigstoreInstance:
    return SigstoreInstance()


def test_keyless_signature_suffices(subject: Subject, instance: SigstoreInstance) -> None:
    identity, issuer = "release@example.com", "https://accounts.example.com"
    signer = KeylessSigner(identity, issuer, json.dumps(instance.trusted_root))
    subject.attach(INDEX, instance.signed(statement(OTHER.digest), identity, issuer), where=FALLBACK)
    with pytest.raises(
        SignatureError, match=f"by {identity}, vouched for by {issuer}: .* another image, {OTHER.digest}"
    ):
        subject.verify(signer=signer)
    subject.attach(INDEX, instance.signed(statement(INDEX.digest), identity, issuer), where=FALLBACK)
    verified = VerifiedSignature(INDEX.digest, f"{identity}, vouched for by {issuer}")
    assert verified == subject.verify(signer=signer)


def test_keyless_signature_without_a_bundle_is_refused(subject: Subject, instance: SigstoreInstance) -> None:
    """The library verifies proofs of the log, and cosign 2 stores none."""
    subject.attach(INDEX, simple_signing(KEY, INDEX.digest))
    with pytest.raises(SignatureError, match="it is not in a Sigstore bundle; sign with cosign 3, "):
        subject.verify(signer=KeylessSigner("a@example.com", "b", json.dumps(instance.trusted_root)))
