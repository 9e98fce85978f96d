"""The secret with the signing key: `{"key": "<the key ring in ASCII armor>", "passphrase": "…"}`."""

import json
from typing import NamedTuple

_FORM = 'write {"key": "<armored private key>", "passphrase": "<empty or absent for a key without one>"}'


class SigningSecretError(Exception):
    """A malformed secret; the message shows nothing of it."""


class SigningSecret(NamedTuple):
    """A key ring, and the passphrase of its key, empty for none."""

    ring: bytes
    passphrase: str

    def __repr__(self) -> str:
        return "SigningSecret(…)"


def parse_signing_secret(text: str) -> SigningSecret:
    """Read the secret's text. Raises SigningSecretError."""
    try:
        document = json.loads(text)
    except ValueError:
        raise SigningSecretError(f"not JSON: {_FORM}") from None
    if not isinstance(document, dict):
        raise SigningSecretError(f"not a JSON object: {_FORM}")
    if unknown := sorted(set(document) - {"key", "passphrase"}):
        raise SigningSecretError(f"unknown field {unknown[0]!r}: {_FORM}")
    key, passphrase = document.get("key"), document.get("passphrase", "")
    if not isinstance(key, str) or not key:
        raise SigningSecretError(f"field 'key' is not a string or is empty: {_FORM}")
    if not isinstance(passphrase, str):
        raise SigningSecretError(f"field 'passphrase' is not a string: {_FORM}")
    return SigningSecret(key.encode("utf-8", "replace"), passphrase)
