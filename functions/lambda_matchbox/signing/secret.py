"""The secret with the key that signs: `{"key": "<the key ring in ASCII armor>", "passphrase": "…"}`."""

import json
from typing import NamedTuple

_FORM = 'write {"key": "<armored private key>", "passphrase": "<empty or left out for a key without one>"}'


class SigningSecretError(Exception):
    """A secret that is not of that form; never what it holds."""


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
        raise SigningSecretError(f"it is no JSON: {_FORM}") from None
    if not isinstance(document, dict):
        raise SigningSecretError(f"it is no JSON object: {_FORM}")
    if unknown := sorted(set(document) - {"key", "passphrase"}):
        raise SigningSecretError(f"it has a field {unknown[0]!r}: {_FORM}")
    key, passphrase = document.get("key"), document.get("passphrase", "")
    if not isinstance(key, str) or not key:
        raise SigningSecretError(f"its field 'key' is no text, or empty: {_FORM}")
    if not isinstance(passphrase, str):
        raise SigningSecretError(f"its field 'passphrase' is no text: {_FORM}")
    return SigningSecret(key.encode("utf-8", "replace"), passphrase)
