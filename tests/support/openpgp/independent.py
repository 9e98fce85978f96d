"""Is a signature by the key `rsa` right? Asked of RFC 9580 and an RSA of OpenSSL, not of the library that signs."""

import hashlib
import re
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA512
from pysequoia.packet import PacketPile

from tests.support.openpgp.keys import key_ring

BINARY, TEXT = 0, 1
"""Types of signatures (RFC 9580, section 5.2.1)."""

_SHA512 = 10


class _Packet(NamedTuple):
    kind: int
    hashed: bytes
    number: int


def kind_of(signature: bytes) -> int:
    """The type of a detached signature, armored or not."""
    return _read(signature).kind


def signs(signature: bytes, octets: bytes) -> bool:
    """Whether the signature is of these bytes, after whatever its type makes of a document."""
    _, hashed, number = _read(signature)
    trailer = b"\x04\xff" + len(hashed).to_bytes(4, "big")
    digest = hashlib.sha512(octets + hashed + trailer).digest()
    modulus, after = _integer(_body(key_ring("public")), 6)
    exponent, _ = _integer(_body(key_ring("public")), after)
    try:
        RSAPublicNumbers(exponent, modulus).public_key().verify(
            number.to_bytes((modulus.bit_length() + 7) // 8, "big"), digest, PKCS1v15(), Prehashed(SHA512())
        )
    except InvalidSignature:
        return False
    return True


def _read(signature: bytes) -> _Packet:
    body = _body(signature)
    assert (4, _SHA512) == (body[0], body[3])
    end = 6 + int.from_bytes(body[4:6], "big")
    unhashed = int.from_bytes(body[end : end + 2], "big")
    number, _ = _integer(body, end + 2 + unhashed + 2)
    return _Packet(body[1], body[:end], number)


def _body(packets: bytes) -> bytes:
    body: bytes = next(iter(PacketPile.from_bytes(packets))).body
    return body


def _integer(body: bytes, at: int) -> tuple[int, int]:
    """The multiprecision integer there, and where it ends."""
    end = at + 2 + (int.from_bytes(body[at : at + 2], "big") + 7) // 8
    return int.from_bytes(body[at + 2 : end], "big"), end


def is_signed(signature: bytes, content: bytes) -> bool:
    """Whether the signature is one of the content, as text or as bytes."""
    text = re.sub(rb"\r?\n", b"\r\n", content)
    return signs(signature, text if kind_of(signature) == TEXT else content)
