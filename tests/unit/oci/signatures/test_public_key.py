"""Signatures by each kind of key that cosign takes."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from lambda_matchbox.oci.errors import SignatureError
from lambda_matchbox.oci.signatures.public_key import PublicKey

RSA = rsa.generate_private_key(65537, 2048)
ED25519 = ed25519.Ed25519PrivateKey.generate()
P256, P384, P521 = (ec.generate_private_key(curve) for curve in (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()))

Sign = Callable[[bytes], bytes]


def ecdsa(key: ec.EllipticCurvePrivateKey, algorithm: hashes.HashAlgorithm) -> Sign:
    return lambda message: key.sign(message, ec.ECDSA(algorithm))


KINDS: dict[str, tuple[PublicKeyTypes, Sign]] = {
    "p256": (P256.public_key(), ecdsa(P256, hashes.SHA256())),
    "p384": (P384.public_key(), ecdsa(P384, hashes.SHA384())),
    "p384-cosign-2": (P384.public_key(), ecdsa(P384, hashes.SHA256())),
    "p521": (P521.public_key(), ecdsa(P521, hashes.SHA512())),
    "rsa": (RSA.public_key(), lambda message: RSA.sign(message, padding.PKCS1v15(), hashes.SHA256())),
    "ed25519": (ED25519.public_key(), ED25519.sign),
}


def pem(key: PublicKeyTypes) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.PEM, form).decode()


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_keys_signature_of_the_message_is_good(kind: str) -> None:
    public, sign = KINDS[kind]
    key = PublicKey(pem(public))
    signature = sign(b"message")
    others = [
        other(b"message") for name, (_, other) in KINDS.items() if name.partition("-")[0] != kind.partition("-")[0]
    ]
    assert key.verifies(signature, b"message")
    assert not any(key.verifies(other, b"message") for other in [*others, b"", signature[:-1], signature + b"\0"])
    assert not key.verifies(signature, b"another message")


@pytest.mark.parametrize(
    "new",
    [
        partial(rsa.generate_private_key, 65537, 1024),
        partial(ec.generate_private_key, ec.SECP256K1()),
        ed448.Ed448PrivateKey.generate,
        partial(dsa.generate_private_key, 1024),
    ],
    ids=["rsa-1024", "secp256k1", "ed448", "dsa"],
)
def test_weak_and_unknown_kinds_of_keys_are_refused(new: Callable[[], Any]) -> None:
    with pytest.raises(SignatureError, match="`key` is of an unsupported kind"):
        PublicKey(pem(new().public_key())).verifies(b"signature", b"message")


def test_text_that_is_not_a_key_is_refused() -> None:
    with pytest.raises(SignatureError, match="`key` is not a public key"):
        PublicKey("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")
