"""Quoted text, as Go's `strconv.Quote` and its variants write it, for the text of `golang.text`."""

from collections.abc import Iterator

from lambda_matchbox.golang.chunks import made_of
from lambda_matchbox.golang.text import stray_byte

_SHORT = {
    "\a": r"\a",
    "\b": r"\b",
    "\f": r"\f",
    "\n": r"\n",
    "\r": r"\r",
    "\t": r"\t",
    "\v": r"\v",
    "\\": r"\\",
}


def quoted(text: str, quote: str = '"', *, ascii_only: bool = False) -> str:
    """`text` as a Go literal, with unprintable characters escaped; with `ascii_only` all that are not ASCII."""
    return "".join(quoted_pieces(text, quote, ascii_only=ascii_only))


def quoted_pieces(text: str, quote: str = '"', *, ascii_only: bool = False) -> Iterator[str]:
    """`quoted` in pieces: it can be ten times as long as `text`."""

    def escaped(part: str) -> str:
        plain = part.isprintable() and quote not in part and "\\" not in part
        if plain and (part.isascii() or not ascii_only):
            return part
        return "".join([_quoted(character, quote, ascii_only=ascii_only) for character in part])

    yield quote
    yield from made_of(text, escaped)
    yield quote


def can_be_raw(text: str) -> bool:
    """Whether `text` can stand unchanged between backquotes."""
    return not any(
        character in "`\x7f\ufeff" or (character < " " and character != "\t") or stray_byte(character) is not None
        for character in text
    )


def is_printable(character: str) -> bool:
    """Go's `unicode.IsPrint`; its version of Unicode may differ from Python's."""
    return stray_byte(character) is None and character.isprintable()


def _quoted(character: str, quote: str, *, ascii_only: bool) -> str:
    if character == quote:
        return "\\" + character
    if character in _SHORT:
        return _SHORT[character]
    if is_printable(character) and not (ascii_only and character > "\x7f"):
        return character
    code = ord(character)
    stray = stray_byte(character)
    if stray is not None:
        return f"\\x{stray:02x}"
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
