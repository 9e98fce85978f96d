"""Checksums, base 64 and 32, and JSON as Go's encoding/json writes and reads it."""

import base64
import binascii
import hashlib
import math
import re
import zlib
from collections.abc import Callable, Iterator

from lambda_matchbox.golang.chunks import joined, made_of
from lambda_matchbox.golang.json import (
    ESCAPES,
    HTML_ESCAPES,
    Encoder,
    JsonDepthError,
    JsonError,
    UnencodableError,
    decode,
)
from lambda_matchbox.golang.text import bytes_of, replaced_strays, text_of, text_of_value
from lambda_matchbox.gotemplate.errors import FunctionError
from lambda_matchbox.gotemplate.limits import Limits

_BASE64 = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
_BASE32 = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
_PIECE_WORK = 10
_CHARACTER_WORK = 2
_BASE64_GROUP = re.compile(rb"(?:[A-Za-z0-9+/]{4})*")
_BASE32_GROUP = re.compile(rb"(?:[A-Z2-7]{8})*")
# The numbers of characters that the last group may have before its padding.
_BASE32_ENDS = (2, 4, 5, 7)
_BASE64_ENDS = (2, 3)


def _decoded(text: str, kind: str) -> str:
    """The bytes of base 64 or 32; for other text Sprig returns Go's error message."""
    given = bytes_of(text)
    raw = given.translate(None, b"\r\n")
    if kind == "32":
        # Line ends are ignored, as is all that follows the padding.
        given, raw = raw, re.sub(rb"(=+).*", rb"\1", raw, flags=re.DOTALL)
    group, ends, valid = (4, _BASE64_ENDS, _BASE64_GROUP) if kind == "64" else (8, _BASE32_ENDS, _BASE32_GROUP)
    if not _is_padded(raw, group, ends, valid):
        return f"illegal base{kind} data at input byte {_first_wrong(given, kind)}"
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


def _first_wrong(raw: bytes, kind: str) -> int:
    """The offset at which Go's decoder stops."""
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


# Stands for a byte that is not UTF-8, which Go escapes as `\ufffd`; no text has this character.
_STRAY = "\udcff"


class _NotJsonError(FunctionError):
    """Text that is not JSON, or a value that JSON does not have."""


def _written(limits: Limits, value: object, *, html: bool = True, indent: str = "") -> str:
    escapes = (HTML_ESCAPES if html else ESCAPES) | {ord(_STRAY): r"\ufffd"}

    def escape(text: str) -> Iterator[str]:
        limits.take_work(_CHARACTER_WORK * len(text))
        return made_of(replaced_strays(text, _STRAY), lambda part: part.translate(escapes))

    def pieces() -> Iterator[str]:
        for piece in Encoder(indent, escape, lambda map_: sorted(map_, key=bytes_of)).pieces(value):
            limits.take_work(_PIECE_WORK)
            yield piece

    try:
        return joined(pieces(), limits.check_text)
    except UnencodableError as error:
        raise _NotJsonError(str(error)) from None


def _writing(*, html: bool = True, indent: str = "") -> Callable[[Limits, object], str]:
    return lambda limits, value: _written(limits, value, html=html, indent=indent)


def _quiet_writing(*, indent: str = "") -> Callable[[Limits, object], str]:
    def write(limits: Limits, value: object) -> str:
        try:
            return _written(limits, value, indent=indent)
        except _NotJsonError:
            return ""

    return write


def _read(limits: Limits, text: str) -> object:
    """The value in a JSON text. Raises FunctionError if it is not JSON."""
    limits.take_elements(text.count(",") + text.count("[") + text.count("{"))
    limits.take_work(_CHARACTER_WORK * len(text))
    try:
        return _values(decode(bytes_of(text), members=dict, integer=_float, number=_float))
    except JsonDepthError:
        raise RecursionError from None
    except JsonError:
        raise _NotJsonError("not JSON") from None


def _float(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise JsonError("a number is too large")
    return number


def _values(value: object) -> object:
    if isinstance(value, str):
        return text_of_value(value)
    if isinstance(value, list):
        return [_values(one) for one in value]
    if isinstance(value, dict):
        return {text_of_value(key): _values(one) for key, one in value.items()}
    return value


def _quietly(limits: Limits, text: str) -> object:
    try:
        return _read(limits, text)
    except _NotJsonError:
        return None


PLAIN: dict[str, Callable[..., object]] = {
    "adler32sum": lambda text: str(zlib.adler32(bytes_of(text))),
    "b32dec": lambda text: _decoded(text, "32"),
    "b32enc": lambda text: base64.b32encode(bytes_of(text)).decode(),
    "b64dec": lambda text: _decoded(text, "64"),
    "b64enc": lambda text: base64.b64encode(bytes_of(text)).decode(),
    "sha1sum": lambda text: hashlib.sha1(bytes_of(text), usedforsecurity=False).hexdigest(),
    "sha256sum": lambda text: hashlib.sha256(bytes_of(text)).hexdigest(),
    "sha512sum": lambda text: hashlib.sha512(bytes_of(text)).hexdigest(),
}
BOUNDED: dict[str, Callable[..., object]] = {
    "fromJson": _quietly,
    "mustFromJson": _read,
    "mustToJson": _writing(),
    "mustToPrettyJson": _writing(indent="  "),
    "mustToRawJson": _writing(html=False),
    "toJson": _quiet_writing(),
    "toPrettyJson": _quiet_writing(indent="  "),
    "toRawJson": _writing(html=False),
}
