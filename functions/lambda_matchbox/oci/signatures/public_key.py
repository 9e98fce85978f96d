"""Signatures by a public key, as cosign makes them by default for each kind of key."""

import hashlib
from collections.abc import Callable

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from lambda_matchbox.oci.errors import SignatureError

_MIN_RSA_BITS = 2048

# cosign 3 selects the hash by the curve, cosign 2 takes SHA-256 for all.
_CURVE_HASHES: dict[str, tuple[hashes.HashAlgorithm, ...]] = {
    "secp256r1": (hashes.SHA256(),),
    "secp384r1": (hashes.SHA384(), hashes.SHA256()),
    "secp521r1": (hashes.SHA512(), hashes.SHA256()),
}


class PublicKey:
    """A public key: ECDSA on a NIST curve, RSA of 2,048 bits or more, or Ed25519."""

    def __init__(self, pem: str) -> None:
        """Read the key. Raises SignatureError."""
        try:
            self._key = serialization.load_pem_public_key(pem.encode())
        except (ValueError, UnsupportedAlgorithm) as error:
            raise SignatureError("`key` is not a public key; use the file cosign.pub as it is") from error
        der = self._key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        self.fingerprint = hashlib.sha256(der).hexdigest()
        """The SHA-256 of its DER form, as `openssl pkey -pubin -outform DER | sha256sum` prints it."""

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether the signature is the key's, of the message. Raises SignatureError for an unsupported key."""
        key = self._key
        if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVE_HASHES:
            return any(_is_ecdsa(key, signature, message, algorithm) for algorithm in _CURVE_HASHES[key.curve.name])
        if isinstance(key, rsa.RSAPublicKey) and key.key_size >= _MIN_RSA_BITS:
            return _is_good(lambda: key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256()))
        if isinstance(key, ed25519.Ed25519PublicKey):
            return _is_good(lambda: key.verify(signature, message))
        raise SignatureError("`key` is of an unsupported kind; use ECDSA, Ed25519, or RSA of 2,048 bits or more")


def _is_ecdsa(
    key: ec.EllipticCurvePublicKey, signature: bytes, message: bytes, algorithm: hashes.HashAlgorithm
) -> bool:
    return _is_good(lambda: key.verify(signature, message, ec.ECDSA(algorithm)))


def _is_good(verify: Callable[[], None]) -> bool:
    try:
        verify()
    except InvalidSignature:
        return False
    return True
