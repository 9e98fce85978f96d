"""JSON as Go's encoding/json reads and writes it."""

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple, NoReturn

from lambda_matchbox.golang.float import format_float
from lambda_matchbox.golang.values import GoObject, is_nil

ESCAPES = str.maketrans(
    {chr(code): f"\\u{code:04x}" for code in range(0x20)}
    | {'"': r"\"", "\\": r"\\", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\b": r"\b", "\f": r"\f"}
    | {"\u2028": r"\u2028", "\u2029": r"\u2029"}
)
"""What Go escapes in every string, for `str.translate`."""

HTML_ESCAPES = ESCAPES | str.maketrans({"<": r"\u003c", ">": r"\u003e", "&": r"\u0026"})
"""`ESCAPES`, and what json.Marshal escapes for HTML."""

_SURROGATE = "[\ud800-\udfff]"
_ESCAPED_SURROGATE = re.compile(rb"\\u[dD]")
_MAX_DIGITS = 20
# encoding/json writes an exponent below the first and from the second on.
_SMALL, _LARGE = 1e-6, 1e21


class JsonError(ValueError):
    """Text that is not JSON. `line` and `column` count from 1, and are None if unknown."""

    def __init__(self, reason: str, line: int | None = None, column: int | None = None) -> None:
        where = "" if line is None else f" at line {line}, column {column}"
        super().__init__(f"not JSON{where}: {reason}")
        self.reason = reason
        self.line = line


class JsonDepthError(JsonError):
    """Text that is nested too deeply."""


class UnencodableError(ValueError):
    """A number that JSON does not have."""


class Members(tuple[tuple[str, object], ...]):
    """An object's members in the order of the text, repeated keys included."""

    __slots__ = ()


class Fractional:
    """A number that is not an integer of at most twenty digits, without its value."""


def _integer(digits: str) -> object:
    return int(digits) if len(digits) <= _MAX_DIGITS else Fractional()


def _refused(constant: str) -> NoReturn:
    raise JsonError(f"invalid number {constant}")


def decode(
    raw: bytes,
    *,
    members: Callable[[list[tuple[str, object]]], object] = Members,
    integer: Callable[[str], object] = _integer,
    number: Callable[[str], object] = lambda _: Fractional(),
    constant: Callable[[str], object] = _refused,
) -> object:
    """The value in `raw`; the functions build objects from members and numbers from digits.

    Bytes that are not UTF-8 and escaped lone surrogates become U+FFFD. `constant` is called for `NaN` and `Infinity`.

    Raises:
        JsonError: it is not JSON; the cause is Python's error, if any.
    """
    try:
        text = raw.decode("utf-8", "replace")
        if text.startswith("\ufeff"):
            raise JsonError("begins with a byte order mark", 1, 1)
        value: object = _decoder(members, integer, number, constant).decode(text)
        return _repaired(value) if _ESCAPED_SURROGATE.search(raw) else value
    except json.JSONDecodeError as error:
        reason = error.msg.partition(":")[0].removesuffix(" at").removesuffix(" starting").lower()
        raise JsonError(reason, error.lineno, error.colno) from error
    except RecursionError:
        raise JsonDepthError("nested too deeply") from None


@lru_cache
def _decoder(
    members: Callable[[list[tuple[str, object]]], object],
    integer: Callable[[str], object],
    number: Callable[[str], object],
    constant: Callable[[str], object],
) -> json.JSONDecoder:
    # Python's own objects are dicts, which it makes faster than it calls a function.
    hook = None if members is dict else members
    return json.JSONDecoder(object_pairs_hook=hook, parse_int=integer, parse_float=number, parse_constant=constant)


def without_surrogates(text: str) -> str:
    """`text` with U+FFFD for each lone surrogate."""
    return text if text.isascii() else re.sub(_SURROGATE, "\N{REPLACEMENT CHARACTER}", text)


def _repaired(value: object) -> object:
    if isinstance(value, str):
        return without_surrogates(value)
    if isinstance(value, Members):
        return Members((without_surrogates(key), _repaired(member)) for key, member in value)
    if isinstance(value, dict):
        return {without_surrogates(key): _repaired(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_repaired(member) for member in value]
    return value


def _html_escaped(text: str) -> tuple[str]:
    return (text.translate(HTML_ESCAPES),)


class Encoder(NamedTuple):
    """Writes values as JSON, with one member to a line if there is an `indent`.

    `escape` escapes a string; `keys` gives an object's keys in their order.
    """

    indent: str = ""
    escape: Callable[[str], Iterable[str]] = _html_escaped
    keys: Callable[[Mapping[str, object]], Iterable[str]] = iter

    def pieces(self, value: object) -> Iterator[str]:
        """The JSON of `value`, made of Go's values (see `golang.values`) and tuples. Integers keep all digits.

        Raises:
            UnencodableError: a number is infinite or NaN.
        """
        return self._pieces(value, "\n" if self.indent else "")

    def _pieces(self, value: object, margin: str) -> Iterator[str]:
        """The JSON of `value`, which begins on a line of that `margin` (line end and indentation)."""
        inner = margin + self.indent
        if isinstance(value, str):
            yield '"'
            yield from self.escape(value)
            yield '"'
        elif is_nil(value):
            yield "null"
        elif isinstance(value, Mapping):
            before = "{" + inner
            for key in self.keys(value):
                yield before + '"'
                yield from self.escape(key)
                yield '": ' if self.indent else '":'
                yield from self._pieces(value[key], inner)
                before = "," + inner
            yield margin + "}" if value else "{}"
        elif isinstance(value, list | tuple):
            before = "[" + inner
            for member in value:
                yield before
                yield from self._pieces(member, inner)
                before = "," + inner
            yield margin + "]" if value else "[]"
        elif isinstance(value, GoObject):
            yield from self._pieces(value.in_json(), margin)
        else:
            yield _scalar(value)


def compact(value: object) -> str:
    """json.Marshal of a value."""
    return "".join(Encoder().pieces(value))


def indented(value: object) -> str:
    """json.MarshalIndent of a value, with tabs and without a final newline."""
    return "".join(Encoder("\t").pieces(value))


def with_sorted_keys(value: object) -> object:
    """The value with the members of all mappings sorted by key, as Go writes a map."""
    if isinstance(value, Mapping):
        return {key: with_sorted_keys(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [with_sorted_keys(member) for member in value]
    return value


def number_text(value: float) -> str:
    """A number, as json.Marshal writes a float64. Raises UnencodableError where it is infinite or NaN."""
    if not math.isfinite(value):
        raise UnencodableError("JSON has no infinite number and no NaN")
    if value and not _SMALL <= abs(value) < _LARGE:
        mantissa, _, exponent = format_float(value, "e").partition("e")
        # strconv writes at least two digits; encoding/json removes the zero from a negative exponent.
        return f"{mantissa}e{exponent.replace('-0', '-')}"
    return format_float(value, "f")


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        return number_text(value)
    raise TypeError(f"JSON has no {type(value).__name__}")
