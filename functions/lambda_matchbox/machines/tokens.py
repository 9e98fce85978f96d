"""Tokens: proof that whoever asks for a configuration got the machine's boot script.

A token is the URL-safe base64 of

    1 byte    the last byte of the time at which the key was made
    3 bytes   when it was made, in steps of ten minutes since 1970
    2 bytes   its lifetime in minutes
    1 byte    the kind of the identity that names the machine: 0 MAC address, 1 UUID, 2 serial number
    n bytes   that identity: its 6, 8 or 20 bytes, its 16, or the serial number's UTF-8
    4 bytes   for each kind after that one: the beginning of the identity's SHA-256, zeros if it has none
    16 bytes  the beginning of an HMAC-SHA-256 over all of that, the machine's group and its boot id

Equal input gives an equal token for ten minutes, so that a script and its signature agree. The identity can be read
without the key: the machine's state has to be read before the token can be verified.

Keys are named by the time at which they were made, in seconds since 1970. Servers keep them for a while, so that a new
one is used only after ten minutes, unless it is the first.
"""

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from lambda_matchbox.machines.identities import Identities, identities_in

LIFETIME = 3600
"""Seconds for which a token may be used, unless the operator says otherwise."""

KEY_LIFETIME = 30 * 24 * 3600
"""Seconds after which a key is replaced. The one before it stays valid."""

KEY_SIZE = 32
"""Bytes of a key."""

_STEP = 600
_SETTLED = 600
_MINUTE = 60
_SIZES: tuple[tuple[int, ...] | None, ...] = ((6, 8, 20), (16,), None)
_DIGEST, _MAC = 4, 16
_MAX_TOKEN = 512
_KEPT = 4096
"""Tokens that are kept, as a machine that waits asks again."""


class TokenError(Exception):
    """A token that does not prove what it has to prove: the reason."""


class Token(NamedTuple):
    """A token as it was sent, not verified. `machine` has the one identity that names the machine.

    `digests` are those of the identities after it. It may be used until `end`, in seconds since 1970.
    """

    payload: bytes
    code: bytes
    key: int
    end: int
    machine: Identities
    digests: tuple[bytes, ...]


def token_for(
    keys: Mapping[int, bytes], machine: Identities, group: str, boot: str, now: int, lifetime: int = LIFETIME
) -> str:
    """The token of a machine with this group and boot id, made with the newest key. `keys` is not empty."""
    number = max([made for made in keys if made <= now - _SETTLED] or [min(keys)])
    return _token(number % 256, keys[number], machine, group, boot, now // _STEP, lifetime // _MINUTE)


@lru_cache(_KEPT)
def _token(number: int, key: bytes, machine: Identities, group: str, boot: str, step: int, minutes: int) -> str:
    kind = next(kind for kind, value in enumerate(machine) if value)
    head = bytes([number]) + step.to_bytes(3) + minutes.to_bytes(2) + bytes([kind])
    payload = head + _raw(kind, machine[kind]) + b"".join(map(_digest, machine[kind + 1 :]))
    return urlsafe_b64encode(payload + _code(key, payload, group, boot)).rstrip(b"=").decode()


def read_token(text: str) -> Token:
    """The parts of a token. Raises TokenError."""
    try:
        raw = urlsafe_b64decode(text[:_MAX_TOKEN].encode("ascii") + b"==")
        payload, code = raw[:-_MAC], raw[-_MAC:]
        kind = payload[6]
        digests = payload[len(payload) - _DIGEST * (2 - kind) :] if kind < len(_SIZES) - 1 else b""
        machine = _identity(kind, payload[7 : len(payload) - len(digests)])
    except (Base64Error, ValueError, IndexError):
        raise TokenError("the token is damaged") from None
    # Its last letter may have bits that say nothing: there is one spelling of each token.
    if urlsafe_b64encode(raw).rstrip(b"=").decode() != text:
        raise TokenError("the token is damaged")
    end = int.from_bytes(payload[1:4]) * _STEP + _STEP + int.from_bytes(payload[4:6]) * _MINUTE
    pieces = tuple(digests[at : at + _DIGEST] for at in range(0, len(digests), _DIGEST))
    return Token(payload, code, payload[0], end, machine, pieces)


def verify(token: Token, keys: Mapping[int, bytes], named: Identities, group: str, boot: str, now: int) -> None:
    """Check that the token is of a boot with this id, of a machine of that group, and of no other than is named.

    Raises TokenError.
    """
    secrets = [secret for number, secret in keys.items() if number % 256 == token.key]
    # compare_digest takes as long for every code.
    if not any(hmac.compare_digest(token.code, _code(secret, token.payload, group, boot)) for secret in secrets):
        raise TokenError("the token is not of this boot of this machine")
    if now >= token.end:
        raise TokenError("the token has ended")
    kind = next(kind for kind, value in enumerate(token.machine) if value)
    known = (*[b""] * kind, None, *token.digests)
    for one, (value, digest) in enumerate(zip(named, known, strict=True)):
        matches = value == token.machine[one] if digest is None else _digest(value) == digest
        if value and not matches:
            raise TokenError("the token is of another machine")


def _code(key: bytes, payload: bytes, group: str, boot: str) -> bytes:
    message = json.dumps([payload.hex(), group, boot]).encode()
    return hmac.digest(key, message, hashlib.sha256)[:_MAC]


def _digest(value: str) -> bytes:
    return hashlib.sha256(value.encode()).digest()[:_DIGEST] if value else bytes(_DIGEST)


def _raw(kind: int, value: str) -> bytes:
    match kind:
        case 0:
            return bytes.fromhex(value.replace(":", ""))
        case 1:
            # Imported where it is needed: most machines have MAC addresses.
            from uuid import UUID

            return UUID(value).bytes
        case _:
            return value.encode()


def _identity(kind: int, raw: bytes) -> Identities:
    size = _SIZES[kind]
    if not raw or (size is not None and len(raw) not in size):
        raise ValueError
    match kind:
        case 0:
            machine = Identities(mac=raw.hex(":"))
        case 1:
            from uuid import UUID

            machine = Identities(uuid=str(UUID(bytes=raw)))
        case _:
            machine = Identities(serial=raw.decode())
    # A forged one must not name what no label may.
    if machine != identities_in(machine._asdict()) or not machine[kind].isprintable():
        raise ValueError
    return machine
