"""Signatures of images, made and stored as cosign does."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.faulty_registry import FaultyRegistry
from tests.support.images.manifests import OCI_INDEX, OCI_MANIFEST, Image, digest_of

SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
IN_TOTO = "application/vnd.in-toto+json"
SIGNATURE = "dev.cosignproject.cosign/signature"
COSIGN_ARTIFACT = "application/vnd.dev.cosign.artifact.sig.v1+json"
SIGN = "https://sigstore.dev/cosign/sign/v1"

TAG, REFERRER, FALLBACK = "tag", "referrer", "fallback"
"""Where a signature lies: under its tag, in the referrers API, or in the list of referrers under a tag."""


class SignatureLayer(NamedTuple):
    """A layer of a manifest of signatures."""

    media_type: str
    body: bytes
    annotations: Mapping[str, str] = {}


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def public_pem(key: ec.EllipticCurvePrivateKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def simple_signing(key: ec.EllipticCurvePrivateKey, digest: str, **critical: Any) -> SignatureLayer:
    """A signature as cosign 2 makes it; `critical` replaces fields of its payload."""
    identity = {"docker-reference": "registry.example.com/team/boot"}
    fields = {
        "identity": identity,
        "image": {"docker-manifest-digest": digest},
        "type": "cosign container image signature",
    }
    payload = json.dumps({"critical": {**fields, **critical}, "optional": None}).encode()
    signature = base64.b64encode(key.sign(payload, ec.ECDSA(hashes.SHA256()))).decode()
    return SignatureLayer(SIMPLE_SIGNING, payload, {SIGNATURE: signature})


def statement(digest: str, predicate_type: str = SIGN) -> bytes:
    """What cosign 3 signs."""
    subject = [{"digest": {"sha256": digest.removeprefix("sha256:")}}]
    content = {"_type": "https://in-toto.io/Statement/v1", "subject": subject, "predicateType": predicate_type}
    return json.dumps({**content, "predicate": {}}).encode()


def bundled(key: ec.EllipticCurvePrivateKey, payload: bytes, payload_type: str = IN_TOTO) -> SignatureLayer:
    """A signature as cosign 3 makes it."""
    signature = key.sign(encoded(payload, payload_type), ec.ECDSA(hashes.SHA256()))
    return SignatureLayer(BUNDLE, json.dumps(bundle(payload, signature, payload_type)).encode())


def encoded(payload: bytes, payload_type: str = IN_TOTO) -> bytes:
    """What is signed: the pre-authentication encoding of the DSSE protocol."""
    return f"DSSEv1 {len(payload_type)} {payload_type} {len(payload)} ".encode() + payload


def bundle(payload: bytes, signature: bytes, payload_type: str = IN_TOTO) -> dict[str, Any]:
    sent = {"payload": base64.b64encode(payload).decode(), "payloadType": payload_type}
    envelope = {**sent, "signatures": [{"sig": base64.b64encode(signature).decode()}]}
    return {"mediaType": BUNDLE, "verificationMaterial": {"publicKey": {"hint": "x"}}, "dsseEnvelope": envelope}


def attach(
    faulty: FaultyRegistry, repository: str, subject: Image, layers: Sequence[SignatureLayer], where: str
) -> None:
    """Store signatures of `subject`, whatever they sign."""
    name = subject.digest.replace(":", "-")
    if where == TAG:
        faulty.add(repository, f"{name}.sig", signatures(layers))
    elif where == REFERRER:
        faulty.add(repository, "latest-referrer", signatures(layers, subject))
    else:
        faulty.add(repository, name, referrers(layers, subject))
    faulty.has_referrers = where == REFERRER


def signatures(layers: Sequence[SignatureLayer], subject: Image | None = None) -> Image:
    """The manifest of signatures, a referrer if it has a subject."""
    config = b"{}"
    blobs = {digest_of(blob): blob for blob in (config, *(layer.body for layer in layers))}
    document: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": digest_of(config), "size": len(config)},
        "layers": [
            {
                "mediaType": layer.media_type,
                "digest": digest_of(layer.body),
                "size": len(layer.body),
                "annotations": dict(layer.annotations),
            }
            for layer in layers
        ],
    }
    if subject is not None:
        size = len(subject.manifests[subject.digest][1])
        document["subject"] = {"mediaType": subject.media_type, "digest": subject.digest, "size": size}
        document["artifactType"] = BUNDLE if layers[0].media_type == BUNDLE else COSIGN_ARTIFACT
    body = json.dumps(document).encode()
    return Image(digest_of(body), {digest_of(body): (OCI_MANIFEST, body)}, blobs)


def referrers(layers: Sequence[SignatureLayer], subject: Image) -> Image:
    """The list of referrers in a registry without the referrers API, and the only one in it."""
    referrer = signatures(layers, subject)
    size = len(referrer.manifests[referrer.digest][1])
    descriptor = {"mediaType": OCI_MANIFEST, "digest": referrer.digest, "size": size}
    listed = [{**descriptor, "artifactType": referrer.document["artifactType"]}]
    body = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": listed}).encode()
    return Image(digest_of(body), {**referrer.manifests, digest_of(body): (OCI_INDEX, body)}, referrer.blobs)


def fingerprint(pem: str) -> str:
    return hashlib.sha256(base64.b64decode("".join(pem.splitlines()[1:-1]))).hexdigest()
