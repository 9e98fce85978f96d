"""Removal of the protection of elliptic keys that GnuPG 2.4 exports, of which Sequoia unlocks only some.

GnuPG counts the bits of such a secret as if the first were set. If it is not, Sequoia rejects the secret as decrypted
with a wrong passphrase. The formats are those of RFC 9580, sections 3.7, 5.5.3 and 12.3.
"""

import hashlib
from hmac import compare_digest

_ELLIPTIC = (19, 22)  # ECDSA, EdDSA
_SHA1_CHECKED = 254
_ITERATED_AND_SALTED = 3
_KEY_SIZES = {7: 16, 8: 24, 9: 32}  # AES
_HASHES = {2: "sha1", 8: "sha256", 9: "sha384", 10: "sha512"}
_BLOCK = 16
_HASH_CHUNK = 1 << 16
_MIN_SIZE = 100  # bytes of a point, a salt, a block and a checksum
_SHA1_SIZE = 20
_SALT_SIZE = 8
# Usage, cipher, kind of derivation, hash; salt, count; the first block, and at least a checksum.
_MIN_PROTECTED = 4 + _SALT_SIZE + 1 + _BLOCK + _SHA1_SIZE


def without_protection(body: bytes, passphrase: str) -> bytes | None:
    """The body of the same secret key packet without protection.

    None for another kind of key or protection, and for a wrong passphrase.
    """
    if body[:1] != b"\x04" or len(body) < _MIN_SIZE or body[5] not in _ELLIPTIC:
        return None
    point = 7 + body[6]
    public = point + 2 + _bytes_of(body[point : point + 2])
    if len(body) < public + _MIN_PROTECTED:
        # A length exceeds the packet.
        return None
    usage, cipher, kind, hashed = body[public : public + 4]
    if (usage, kind) != (_SHA1_CHECKED, _ITERATED_AND_SALTED) or cipher not in _KEY_SIZES or hashed not in _HASHES:
        return None
    salt, count = body[public + 4 : public + 12], body[public + 12]
    start, encrypted = body[public + 13 : public + 13 + _BLOCK], body[public + 13 + _BLOCK :]
    key = _derived(passphrase.encode(), salt, count, _HASHES[hashed], _KEY_SIZES[cipher])
    plain = _decrypted(key, start, encrypted)
    secret, checksum = plain[:-_SHA1_SIZE], plain[-_SHA1_SIZE:]
    if not compare_digest(hashlib.sha1(secret).digest(), checksum):  # noqa: S324 (the format's)
        return None
    number = secret[2:].lstrip(b"\0")
    bits = int.from_bytes(number, "big").bit_length()
    counted = bits.to_bytes(2, "big") + number
    return body[:public] + b"\0" + counted + (sum(counted) % 65536).to_bytes(2, "big")


def _bytes_of(bits: bytes) -> int:
    return (int.from_bytes(bits, "big") + 7) // 8


def _derived(passphrase: bytes, salt: bytes, count: int, name: str, size: int) -> bytes:
    """The key derived from the passphrase, iterated and salted; each further hash is preceded by one more zero."""
    once = salt + passphrase
    # 65 MB at most: hashed in repeated parts, and the rest.
    length = max((16 + (count & 15)) << ((count >> 4) + 6), len(once))
    part = once * (_HASH_CHUNK // len(once) + 1)
    key, zeros = b"", 0
    while len(key) < size:
        hashed = hashlib.new(name, bytes(zeros))
        for _ in range(length // len(part)):
            hashed.update(part)
        hashed.update(part[: length % len(part)])
        key += hashed.digest()
        zeros += 1
    return key[:size]


def _decrypted(key: bytes, start: bytes, encrypted: bytes) -> bytes:
    """The plain text of AES in cipher feedback (CFB) mode."""
    # Imported here: other keys do not need it.
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import AES
    from cryptography.hazmat.primitives.ciphers.modes import ECB

    # CFB: each block is XORed with the encryption of the encrypted block before it, which is one ECB step.
    before = (start + encrypted)[: -(-len(encrypted) // _BLOCK) * _BLOCK]
    encryptor = Cipher(AES(key), ECB()).encryptor()  # noqa: S305
    cover = encryptor.update(before) + encryptor.finalize()
    return bytes(octet ^ covering for octet, covering in zip(encrypted, cover, strict=False))
