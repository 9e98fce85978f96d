"""Go's strings, which are bytes, as Python text.

Valid UTF-8 stands for itself. Each other byte is one character of a private use block, U+10FE80 to U+10FEFF (byte 0x80
to 0xFF). Unlike a lone surrogate it can be encoded, which a parser needs that measures its source in UTF-8. A genuine
character of that block is written as its four bytes, so that the mapping is one to one.
"""

import re

_FIRST_BYTE = 0x80
_FIRST_STAND_IN = 0x10FE80
_FIRST_SURROGATE = 0xDC80
_COUNT = 0x80
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_SURROGATE = "[\ud800-\udfff]"
# The four bytes of a genuine character of the block, or one byte that is not UTF-8.
_GENUINE_OR_STRAY = "\U0010fef4\U0010fe8f[\U0010feba\U0010febb][\U0010fe80-\U0010febf]|([\U0010fe80-\U0010feff])"

_AS_STAND_INS: dict[int, str] = {
    _FIRST_STAND_IN + offset: "".join(
        chr(byte - _FIRST_BYTE + _FIRST_STAND_IN) for byte in chr(_FIRST_STAND_IN + offset).encode()
    )
    for offset in range(_COUNT)
}
_FROM_SURROGATES = _AS_STAND_INS | {
    _FIRST_SURROGATE + offset: chr(_FIRST_STAND_IN + offset) for offset in range(_COUNT)
}
_TO_SURROGATES = {_FIRST_STAND_IN + offset: _FIRST_SURROGATE + offset for offset in range(_COUNT)}


def text_of(raw: bytes) -> str:
    """The text for any bytes."""
    if raw.isascii():
        return raw.decode("ascii")
    return raw.decode("utf-8", "surrogateescape").translate(_FROM_SURROGATES)


def bytes_of(text: str) -> bytes:
    """The bytes of `text`; the inverse of `text_of`."""
    if text.isascii():
        return text.encode("ascii")
    return text.translate(_TO_SURROGATES).encode("utf-8", "surrogateescape")


def text_of_value(value: str) -> str:
    """The text for a string from JSON or a query, with a lone surrogate ("surrogateescape") for each byte not UTF-8.

    Any other surrogate becomes U+FFFD, as when Go reads JSON.
    """
    if value.isascii():
        return value
    return re.sub(_SURROGATE, _REPLACEMENT, value.translate(_FROM_SURROGATES))


def stray_byte(character: str) -> int | None:
    """The byte that `character` stands for if that is not UTF-8, else None."""
    offset = ord(character) - _FIRST_STAND_IN
    return offset + _FIRST_BYTE if 0 <= offset < _COUNT else None


def replaced_strays(text: str, replacement: str) -> str:
    """The text with `replacement` for each byte that is not UTF-8."""
    if text.isascii() or text.isprintable():
        return text
    return re.sub(_GENUINE_OR_STRAY, lambda found: replacement if found[1] else found[0], text)
