"""Which signatures in a registry are good for an image, and what is said of the others."""

import json
import re
from collections.abc import Iterator
from contextlib import closing

import pytest

from lambda_matchbox.oci.distribution.docker_config import no_logins
from lambda_matchbox.oci.distribution.registry import Registry
from lambda_matchbox.oci.errors import RegistryError, SignatureError
from lambda_matchbox.oci.image_reference import ImageReference, Platform
from lambda_matchbox.oci.signatures.signers import KeylessSigner, KeySigner, Signer, VerifiedSignature
from lambda_matchbox.oci.signatures.stored_signatures import MAX_SIGNATURES
from lambda_matchbox.oci.signatures.verification import verify
from tests.support.images.manifests import OCI_INDEX, OCI_MANIFEST, Image, digest_of, image, index
from tests.support.images.signatures import (
    BUNDLE,
    FALLBACK,
    REFERRER,
    SIMPLE_SIGNING,
    TAG,
    SignatureLayer,
    attach,
    bundled,
    fingerprint,
    new_key,
    public_pem,
    referrers,
    signatures,
    simple_signing,
    statement,
)
from tests.support.images.sigstore_instance import SigstoreInstance
from tests.support.registry_faults import Fault, FaultyRegistry, faulty_registry
from tests.unit.oci.distribution.fast_retries import FAST_RETRIES

pytestmark = pytest.mark.system

REPOSITORY = "team/boot"
ARM64 = Platform("linux", "arm64")
KEY, OTHER_KEY = new_key(), new_key()
SIGNER = KeySigner(public_pem(KEY))
NAME = f"the key sha256:{fingerprint(SIGNER.pem)}"
IMAGE = image([], labels={"a": "b"})
INDEX = index([(IMAGE, "linux/arm64"), (image([], platform="linux/amd64"), "linux/amd64")])


def enveloped(**fields: object) -> bytes:
    """A good bundle with other fields in its envelope."""
    bundle = json.loads(bundled(KEY, statement(INDEX.digest)).body)
    return json.dumps({**bundle, "dsseEnvelope": {**bundle["dsseEnvelope"], **fields}}).encode()


ATTESTATION = "https://cosign.sigstore.dev/attestation/vuln/v1"
OTHER = image([], labels={"c": "d"})


class Subject:
    """A registry whose tag names an image, and its client."""

    def __init__(self, faulty: FaultyRegistry, registry: Registry) -> None:
        self.faulty = faulty
        self.reference = ImageReference(faulty.host, REPOSITORY, "stable", "")
        self.registry = registry

    def tag(self, one: Image) -> None:
        self.faulty.add(REPOSITORY, "stable", one)

    def attach(self, subject: Image, *layers: SignatureLayer, where: str = TAG) -> None:
        attach(self.faulty, REPOSITORY, subject, layers, where)

    def verify(self, digest: str = "", signer: Signer = SIGNER) -> VerifiedSignature:
        reference = self.reference._replace(digest=digest)
        return verify(self.registry, reference, self.registry.resolve(reference, ARM64), signer)

    def refusal(self, digest: str = "") -> str:
        with pytest.raises(SignatureError) as caught:
            self.verify(digest)
        return str(caught.value)


@pytest.fixture
def subject() -> Iterator[Subject]:
    with faulty_registry() as faulty, closing(Registry(no_logins, retry_policy=FAST_RETRIES)) as registry:
        made = Subject(faulty, registry)
        made.tag(INDEX)
        yield made


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


@pytest.mark.parametrize("step", ["manifest", "referrers", "blob"])
def test_registry_that_is_unavailable_for_a_moment_is_asked_again(subject: Subject, step: str) -> None:
    subject.attach(INDEX, bundled(KEY, statement(INDEX.digest)), where=REFERRER)
    of = f"{INDEX.digest.replace(':', '-')}.sig" if step == "manifest" else ""
    subject.faulty.faults.append(Fault(step, times=2, status=503, of=of))
    assert INDEX.digest == subject.verify().digest
    assert 0 == subject.faulty.faults[0].times


@pytest.mark.parametrize(("step", "status"), [("manifest", 503), ("referrers", 503), ("referrers", 403)])
def test_registry_that_stays_unavailable_is_not_an_unsigned_image(subject: Subject, step: str, status: int) -> None:
    of = f"{INDEX.digest.replace(':', '-')}.sig" if step == "manifest" else ""
    subject.faulty.faults.append(Fault(step, times=100, status=status, of=of))
    with pytest.raises(RegistryError, match=re.escape(f"{subject.faulty.host} answers {status}")):
        subject.verify()


@pytest.mark.parametrize("status", [400, 404, 405, 406])
def test_registry_without_referrers_api_has_them_under_a_tag(subject: Subject, status: int) -> None:
    subject.attach(INDEX, bundled(KEY, statement(INDEX.digest)), where=FALLBACK)
    subject.faulty.faults.append(Fault("referrers", status=status))
    assert INDEX.digest == subject.verify().digest


@pytest.mark.parametrize("step", ["manifest", "referrers"])
def test_registry_that_redirects_to_nothing_has_no_signature_there(subject: Subject, step: str) -> None:
    """As registries do that are spread over regions, or that answer with a page for people."""
    subject.attach(INDEX, bundled(KEY, statement(INDEX.digest)), where=FALLBACK)
    of = f"{INDEX.digest.replace(':', '-')}.sig" if step == "manifest" else ""
    nowhere = f"{subject.faulty.storage}/v2/elsewhere/manifests/none"
    subject.faulty.faults.append(Fault(step, times=100, status=307, headers={"Location": nowhere}, of=of))
    subject.faulty.faults.append(Fault("storage", times=100, status=404, of="/none"))
    assert INDEX.digest == subject.verify().digest


def test_web_page_in_place_of_referrers_is_no_referrers_api(subject: Subject) -> None:
    subject.attach(INDEX, bundled(KEY, statement(INDEX.digest)), where=FALLBACK)
    subject.faulty.faults.append(Fault("referrers", status=200, headers={"Content-Type": "text/html"}, body=b"<html>"))
    assert INDEX.digest == subject.verify().digest


def test_number_of_signatures_read_is_limited(subject: Subject) -> None:
    junk = [simple_signing(OTHER_KEY, f"sha256:{number:064}") for number in range(MAX_SIGNATURES)]
    subject.attach(INDEX, *junk, simple_signing(KEY, INDEX.digest))
    assert subject.refusal().endswith(f"; and {MAX_SIGNATURES - 4} more")


def test_all_pages_of_a_list_of_referrers_are_read(subject: Subject) -> None:
    for number in range(5):
        subject.attach(INDEX, bundled(KEY, statement(f"sha256:{number:064}")), where=REFERRER)
    subject.attach(INDEX, bundled(KEY, statement(INDEX.digest)), where=REFERRER)
    subject.faulty.referrers_on_page = 2
    assert INDEX.digest == subject.verify().digest


@pytest.mark.parametrize("form", ["simple", "bundle"])
def test_registry_may_name_the_configs_type(subject: Subject, form: str) -> None:
    layer = simple_signing(KEY, INDEX.digest) if form == "simple" else bundled(KEY, statement(INDEX.digest))
    subject.attach(INDEX, layer, where=REFERRER)
    subject.faulty.names_configs = True
    assert INDEX.digest == subject.verify().digest


def test_other_referrers_are_not_read(subject: Subject) -> None:
    sbom = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "artifactType": "application/spdx+json"}
    sbom |= {"config": {"mediaType": "x"}, "layers": [], "subject": {"digest": INDEX.digest}}
    subject.faulty.add_manifest(REPOSITORY, "sbom", OCI_MANIFEST, json.dumps(sbom).encode())
    subject.faulty.has_referrers = True
    assert subject.refusal().startswith("the registry has no signature of ")


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
