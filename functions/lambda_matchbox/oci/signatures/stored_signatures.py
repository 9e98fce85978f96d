"""Signatures in a registry, where cosign stores them: under a tag, or as referrers of the image.

cosign 2 writes a manifest under the tag `sha256-….sig` (specs/SIGNATURE_SPEC.md) or, on request, as a referrer; each of
its layers is a payload with its signature in an annotation. cosign 3 writes a referrer for each signature, whose layer
is a Sigstore bundle.
"""

import base64
import binascii
import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

from lambda_matchbox.oci.descriptors import Descriptor, Manifest
from lambda_matchbox.oci.distribution.manifests import OCI_MANIFEST, Referrer
from lambda_matchbox.oci.distribution.registry import Registry
from lambda_matchbox.oci.distribution.repository import StatusError
from lambda_matchbox.oci.errors import DigestError, ManifestError, SignatureError
from lambda_matchbox.oci.image_reference import ImageReference
from lambda_matchbox.oci.signatures.claims import SIMPLE_SIGNING

MAX_SIGNATURES = 64
"""Signatures read for one digest: whoever may push may add any number."""

_ANNOTATION = "dev.cosignproject.cosign/signature"
# Some registries name the config's type, which is empty for bundles, in place of the manifest's.
_ARTIFACT_TYPES = frozenset(
    {"application/vnd.dev.cosign.artifact.sig.v1+json", "application/vnd.oci.empty.v1+json", ""}
)
# Of one signature; that the registry is unavailable or denies access is no reason to leave it out.
_UNREADABLE = (ManifestError, DigestError, StatusError)
_BUNDLE = "application/vnd.dev.sigstore.bundle"


class StoredSignature(NamedTuple):
    """A payload and its signature; `bundle` is the JSON of the Sigstore bundle that they are from, else empty."""

    payload_type: str
    payload: bytes
    signature: bytes
    bundle: bytes = b""

    @property
    def message(self) -> bytes:
        """The bytes that are signed: the payload or, in a bundle, its encoding by the DSSE protocol."""
        if not self.bundle:
            return self.payload
        kind = self.payload_type.encode()
        return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(self.payload), self.payload)


def stored_signatures(
    registry: Registry, reference: ImageReference, digest: str
) -> Iterator[StoredSignature | SignatureError]:
    """The signatures stored for the digest; for those that cannot be read the reason.

    Raises RegistryError where the registry does not say what it has.
    """
    return islice(_all(registry, reference, digest), MAX_SIGNATURES)


def _all(registry: Registry, reference: ImageReference, digest: str) -> Iterator[StoredSignature | SignatureError]:
    tag = f"{digest.replace(':', '-')}.sig"
    yield from _in_manifest(registry, reference, partial(registry.tagged, reference, tag))
    for referrer in islice(filter(_has_signatures, registry.referrers(reference, digest)), MAX_SIGNATURES):
        yield from _in_manifest(registry, reference, partial(registry.manifest, reference, referrer.descriptor))


def _has_signatures(referrer: Referrer) -> bool:
    is_one = referrer.artifact_type in _ARTIFACT_TYPES or referrer.artifact_type.startswith(_BUNDLE)
    return is_one and referrer.descriptor.media_type == OCI_MANIFEST


def _in_manifest(
    registry: Registry, reference: ImageReference, read: Callable[[], Manifest | None]
) -> Iterator[StoredSignature | SignatureError]:
    try:
        manifest = read()
    except _UNREADABLE as error:
        yield SignatureError(str(error))
        return
    for layer in () if manifest is None else manifest.layers:
        try:
            if layer.media_type == SIMPLE_SIGNING:
                yield _simple_signing(layer, registry.small_blob(reference, layer))
            elif layer.media_type.startswith(_BUNDLE):
                yield _bundled(registry.small_blob(reference, layer))
        except SignatureError as error:
            yield error
        except _UNREADABLE as error:
            yield SignatureError(str(error))


def _simple_signing(layer: Descriptor, payload: bytes) -> StoredSignature:
    return StoredSignature(SIMPLE_SIGNING, payload, _decoded(layer.annotations.get(_ANNOTATION)))


def _bundled(bundle: bytes) -> StoredSignature:
    try:
        content = json.loads(bundle)
        envelope: Mapping[str, Any] = content["dsseEnvelope"]
        payload_type = envelope["payloadType"].encode().decode()  # lone surrogates are an error
        payload = envelope["payload"]
        (signature,) = envelope["signatures"]
        signed = signature["sig"]
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError) as error:
        raise SignatureError("its bundle has no DSSE envelope with one signature") from error
    return StoredSignature(payload_type, _decoded(payload), _decoded(signed), bundle)


def _decoded(text: object) -> bytes:
    try:
        return base64.b64decode(text if isinstance(text, str) else "", validate=True)
    except (binascii.Error, ValueError) as error:
        raise SignatureError("its signature is not in base64") from error
