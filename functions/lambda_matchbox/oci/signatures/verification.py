"""The decision whether an image has a good signature."""

from collections.abc import Callable, Sequence

from lambda_matchbox.oci.descriptors import Descriptor
from lambda_matchbox.oci.distribution.registry import Registry
from lambda_matchbox.oci.errors import SignatureError
from lambda_matchbox.oci.image_reference import ImageReference
from lambda_matchbox.oci.signatures.claims import signed_digests
from lambda_matchbox.oci.signatures.signers import KeySigner, Signer, VerifiedSignature
from lambda_matchbox.oci.signatures.stored_signatures import StoredSignature, stored_signatures

_SHOWN = 4
"""Refused signatures that a message describes."""


def verify(
    registry: Registry, reference: ImageReference, chain: Sequence[Descriptor], signer: Signer
) -> VerifiedSignature:
    """The first good signature of the chain, from what the reference names down to the image's manifest.

    One suffices: each document names the next one by its digest. Raises SignatureError, and RegistryError where the
    registry does not say what signatures it has.
    """
    name, check = _check(signer)
    refused: list[str] = []
    for descriptor in chain:
        for stored in stored_signatures(registry, reference, descriptor.digest):
            try:
                if isinstance(stored, SignatureError):
                    raise stored
                signed = check(stored)
                if descriptor.digest not in signed:
                    raise SignatureError(f"it is of another image, {', '.join(sorted(signed))}")
            except SignatureError as error:
                refused.append(f"one of {descriptor.digest} is refused: {error}")
            else:
                return VerifiedSignature(descriptor.digest, name)
    digests = " and ".join(descriptor.digest for descriptor in chain)
    if not refused:
        raise SignatureError(f"the registry has no signature of {digests}; sign the image for {name}, or push it again")
    more = f"; and {len(refused) - _SHOWN} more" if len(refused) > _SHOWN else ""
    raise SignatureError(f"no signature by {name}: {'; '.join(refused[:_SHOWN])}{more}")


def _check(signer: Signer) -> tuple[str, Callable[[StoredSignature], frozenset[str]]]:
    """What the signer is called, and what gives the digests that are signed or raises SignatureError."""
    # Their libraries take 11 and 29 MB, the second one a second to load; most sources need neither.
    if isinstance(signer, KeySigner):
        from lambda_matchbox.oci.signatures.public_key import PublicKey

        key = PublicKey(signer.pem)

        def by_key(stored: StoredSignature) -> frozenset[str]:
            if not key.verifies(stored.signature, stored.message):
                raise SignatureError("it is not by this key, or its payload was changed")
            return signed_digests(stored.payload_type, stored.payload)

        return f"the key sha256:{key.fingerprint}", by_key

    from lambda_matchbox.oci.signatures.keyless import KeylessVerifier

    verifier = KeylessVerifier(signer)

    def keyless(stored: StoredSignature) -> frozenset[str]:
        if not stored.bundle:
            raise SignatureError("it is not in a Sigstore bundle; sign with cosign 3, or 2 with --new-bundle-format")
        return signed_digests(*verifier.verified(stored.bundle))

    return f"{signer.identity}, vouched for by {signer.issuer}", keyless
