"""Whose signature an image needs."""

from typing import NamedTuple


class KeySigner(NamedTuple):
    """The owner of a key; `pem` is the public one."""

    pem: str


class KeylessSigner(NamedTuple):
    """An identity that an OpenID Connect issuer vouched for to a certificate authority of Sigstore.

    `trusted_root` is a trusted_root.json: its path, its text, or empty for that of the public Sigstore.
    """

    identity: str
    issuer: str
    trusted_root: str = ""


Signer = KeySigner | KeylessSigner


class VerifiedSignature(NamedTuple):
    """A good signature: the digest that is signed, an index's or a manifest's, and who signed it."""

    digest: str
    signer: str
