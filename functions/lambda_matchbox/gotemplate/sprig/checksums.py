"""Checksums and encodings of the bytes of a text."""

import base64
import binascii
import hashlib
import re
import zlib

from lambda_matchbox.golang.text import bytes_of, text_of

_BASE64_GROUP = re.compile(rb"(?:[A-Za-z0-9+/]{4})*")
_BASE32_GROUP = re.compile(rb"(?:[A-Z2-7]{8})*")
# How many characters of the last group of eight may stand before its padding, and the padding.
_BASE32_ENDS = (2, 4, 5, 7)
_BASE64_ENDS = (2, 3)


def _decoded(text: str, kind: str) -> str:
    """The bytes that stand in base 64 or 32; where they do not, Sprig gives Go's message as the answer."""
    given = bytes_of(text)
    raw = given.translate(None, b"\r\n")
    if kind == "32":
        # Line ends count for nothing, nor does what follows the padding.
        given, raw = raw, re.sub(rb"(=+).*", rb"\1", raw, flags=re.DOTALL)
    group, ends, valid = (4, _BASE64_ENDS, _BASE64_GROUP) if kind == "64" else (8, _BASE32_ENDS, _BASE32_GROUP)
    if not _is_padded(raw, group, ends, valid):
        return _corrupt(given, kind)
    if kind == "64":
        return text_of(binascii.a2b_base64(raw))
    return text_of(base64.b32decode(raw))


def _is_padded(raw: bytes, group: int, ends: tuple[int, ...], valid: "re.Pattern[bytes]") -> bool:
    found = valid.match(raw)
    rest = raw[found.end() :] if found else raw
    if not rest:
        return True
    letters = rest.rstrip(b"=")
    if len(rest) != group or len(letters) not in ends:
        return False
    filled = valid.fullmatch(letters + b"A" * (group - len(letters)))
    return filled is not None


def _corrupt(raw: bytes, kind: str) -> str:
    """Go's message says at which byte; that is counted here as its decoder reads on."""
    return f"illegal base{kind} data at input byte {_first_wrong(raw, kind)}"


def _first_wrong(raw: bytes, kind: str) -> int:
    alphabet = _BASE64 if kind == "64" else _BASE32
    group = 4 if kind == "64" else 8
    ends = _BASE64_ENDS if kind == "64" else _BASE32_ENDS
    position = 0
    while True:
        filled = 0
        while filled < group:
            while position < len(raw) and raw[position] in b"\r\n":
                position += 1
            if position >= len(raw):
                return position - filled
            byte = raw[position]
            if byte in alphabet:
                filled, position = filled + 1, position + 1
                continue
            if byte != ord("="):
                return position
            return _padding_wrong(raw, position, filled, group, ends, kind)


def _padding_wrong(raw: bytes, position: int, filled: int, group: int, ends: tuple[int, ...], kind: str) -> int:
    if filled not in ends:
        return position
    wanted = group - filled
    start = position
    while wanted:
        while position < len(raw) and raw[position] in b"\r\n":
            position += 1
        if position >= len(raw):
            return len(raw)
        if raw[position] != ord("="):
            return position - 1 if kind == "64" else start
        position, wanted = position + 1, wanted - 1
    while position < len(raw) and raw[position] in b"\r\n":
        position += 1
    return position


_BASE64 = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
_BASE32 = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")

PLAIN = {
    "adler32sum": lambda text: str(zlib.adler32(bytes_of(text))),
    "b32dec": lambda text: _decoded(text, "32"),
    "b32enc": lambda text: base64.b32encode(bytes_of(text)).decode(),
    "b64dec": lambda text: _decoded(text, "64"),
    "b64enc": lambda text: base64.b64encode(bytes_of(text)).decode(),
    "sha1sum": lambda text: hashlib.sha1(bytes_of(text), usedforsecurity=False).hexdigest(),
    "sha256sum": lambda text: hashlib.sha256(bytes_of(text)).hexdigest(),
    "sha512sum": lambda text: hashlib.sha512(bytes_of(text)).hexdigest(),
}
BOUNDED: dict[str, object] = {}
