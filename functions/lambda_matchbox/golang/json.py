"""JSON as Go's encoding/json reads and writes it."""

import json
from typing import NoReturn

from lambda_matchbox.golang.float import format_float

_ESCAPES = str.maketrans({"<": r"\u003c", ">": r"\u003e", "&": r"\u0026", "\u2028": r"\u2028", "\u2029": r"\u2029"})
_SURROGATES = dict.fromkeys(range(0xD800, 0xE000), "\N{REPLACEMENT CHARACTER}")
_MOST_DIGITS = 20
# Below and from these, encoding/json writes an exponent.
_SMALL, _LARGE = 1e-6, 1e21


class JsonError(ValueError):
    """Text that is not JSON; where, counted from 1, and why."""

    def __init__(self, reason: str, line: int | None = None, column: int | None = None) -> None:
        where = "" if line is None else f" at line {line}, column {column}"
        super().__init__(f"it is not JSON{where}: {reason}")


class Members(tuple[tuple[str, object], ...]):
    """An object's members in the order of the text, repeated ones too: Go reads one after the other."""

    __slots__ = ()


class Fractional:
    """A number that is no integer of at most twenty digits; its value is not kept."""


def decode(raw: bytes) -> object:
    """What `raw` holds: `Members`, `list`, `str`, `int`, `Fractional`, `bool` or None.

    Bytes that are not UTF-8 and escaped lone surrogates become U+FFFD.

    Raises:
        JsonError: it is not JSON.
    """
    try:
        return _DECODER.decode(raw.decode("utf-8", "replace"))
    except json.JSONDecodeError as error:
        reason = error.msg.partition(":")[0].removesuffix(" at").removesuffix(" starting").lower()
        raise JsonError(reason, error.lineno, error.colno) from None
    except RecursionError:
        raise JsonError("it is nested too deeply") from None


def encode(value: object) -> bytes:
    """`value` without white space, members in the order of the mapping, escaped so that HTML may hold it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.translate(_ESCAPES).encode()


def number_text(value: float) -> str:
    """A finite number, as json.Marshal writes a float64."""
    if value and not _SMALL <= abs(value) < _LARGE:
        mantissa, _, exponent = format_float(value, "e").partition("e")
        # Two digits at least, says strconv; encoding/json takes the zero out of those below.
        return f"{mantissa}e{exponent.replace('-0', '-')}"
    return format_float(value, "f")


def without_surrogates(text: str) -> str:
    """`text` with U+FFFD for each lone surrogate."""
    return text if text.isascii() else text.translate(_SURROGATES)


def _integer(digits: str) -> object:
    return int(digits) if len(digits) <= _MOST_DIGITS else Fractional()


def _refused(constant: str) -> NoReturn:
    raise JsonError(f"it has no number {constant}")


_DECODER = json.JSONDecoder(
    object_pairs_hook=Members, parse_int=_integer, parse_float=lambda _: Fractional(), parse_constant=_refused
)
