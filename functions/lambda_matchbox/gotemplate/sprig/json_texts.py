"""JSON as Go's encoding/json writes and reads it."""

import math
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
from lambda_matchbox.golang.text import bytes_of, replaced_strays, text_of_value
from lambda_matchbox.gotemplate.limits import Allowance, FunctionError

_PIECE_WORK = 10
_CHARACTER_WORK = 2
# For a byte that is not UTF-8, which Go escapes as `\ufffd`: a character that no text has.
_STRAY = "\udcff"


class _NotJsonError(FunctionError):
    """A text that is not JSON, or a value that JSON does not have."""


def _written(allowance: Allowance, value: object, *, html: bool = True, indent: str = "") -> str:
    escapes = (HTML_ESCAPES if html else ESCAPES) | {ord(_STRAY): r"\ufffd"}

    def escape(text: str) -> Iterator[str]:
        allowance.take_work(_CHARACTER_WORK * len(text))
        return made_of(replaced_strays(text, _STRAY), lambda part: part.translate(escapes))

    def pieces() -> Iterator[str]:
        for piece in Encoder(indent, escape, lambda map_: sorted(map_, key=bytes_of)).pieces(value):
            allowance.take_work(_PIECE_WORK)
            yield piece

    try:
        return joined(pieces(), allowance.check_text)
    except UnencodableError as error:
        raise _NotJsonError(str(error)) from None


def _writing(*, html: bool = True, indent: str = "") -> Callable[[Allowance, object], str]:
    return lambda allowance, value: _written(allowance, value, html=html, indent=indent)


def _quiet_writing(*, indent: str = "") -> Callable[[Allowance, object], str]:
    def write(allowance: Allowance, value: object) -> str:
        try:
            return _written(allowance, value, indent=indent)
        except _NotJsonError:
            return ""

    return write


def _read(allowance: Allowance, text: str) -> object:
    """Raises FunctionError where it is not JSON."""
    allowance.take_elements(text.count(",") + text.count("[") + text.count("{"))
    allowance.take_work(_CHARACTER_WORK * len(text))
    try:
        return _values(decode(bytes_of(text), members=dict, integer=_float, number=_float))
    except JsonDepthError:
        raise RecursionError from None
    except JsonError:
        raise _NotJsonError("it is not JSON") from None


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


def _quietly(allowance: Allowance, text: str) -> object:
    try:
        return _read(allowance, text)
    except _NotJsonError:
        return None


PLAIN: dict[str, Callable[..., object]] = {}
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
