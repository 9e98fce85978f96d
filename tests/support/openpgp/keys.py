"""Key rings that GnuPG 2.4 has exported; those of elliptic keys that can sign are protected.

Of the `miscounted` the first bits of the secret are zero, which GnuPG counts nevertheless.
"""

from pathlib import Path

from lambda_matchbox.signing.key import SigningKey, unlock
from lambda_matchbox.web.signatures import Signatures

PASSPHRASE = "correct horse"


def path_of(name: str) -> Path:
    """The file with that key ring, in ASCII armor."""
    return Path(__file__).with_name(f"{name}.asc")


def key_ring(name: str) -> bytes:
    """The key ring in ASCII armor."""
    return path_of(name).read_bytes()


def signing_key(name: str) -> SigningKey:
    """The key of that ring, unlocked."""
    return unlock(key_ring(name), PASSPHRASE)


def signatures(name: str) -> Signatures:
    """Signatures by the key of that ring."""
    key = signing_key(name)
    return Signatures(key.binary, key.armored)
