"""JSON as Go's encoding/json writes and reads it."""

import json
import math
from collections.abc import Callable

from lambda_matchbox.golang.chunks import joined, made_of
from lambda_matchbox.golang.json import number_text
from lambda_matchbox.golang.text import bytes_of, replaced_strays, text_of_value
from lambda_matchbox.golang.values import GoObject, is_nil
from lambda_matchbox.gotemplate.limits import Allowance, FunctionError

_NODE_WORK = 20
_CHARACTER_WORK = 2
_ESCAPES = {'"': r"\"", "\\": r"\\", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\b": r"\b", "\f": r"\f"}
# For a byte that is no UTF-8, of which Go writes that it is none: what no text has.
_STRAY = "\udcff"
_ALWAYS = str.maketrans(
    {chr(code): f"\\u{code:04x}" for code in range(0x20)}
    | _ESCAPES
    | {"\u2028": r"\u2028", "\u2029": r"\u2029", _STRAY: r"\ufffd"}
)
_IN_HTML = _ALWAYS | str.maketrans({"<": r"\u003c", ">": r"\u003e", "&": r"\u0026"})


class _NotJsonError(FunctionError):
    """A text that is not JSON, or a value that JSON does not have."""


class _Writer:
    """One text under construction; `html` escapes what HTML would take for markup, `step` indents each level."""

    def __init__(self, allowance: Allowance, *, html: bool, step: str) -> None:
        self._allowance = allowance
        self._escapes = _IN_HTML if html else _ALWAYS
        self._step = step
        self._pieces: list[str] = []
        self._length = 0

    def text(self) -> str:
        return "".join(self._pieces)

    def write(self, value: object, level: int = 0) -> None:
        self._allowance.take_work(_NODE_WORK)
        if isinstance(value, dict) and not is_nil(value):
            keys = sorted(value, key=bytes_of)
            self._group("{}", [(self._string(key) + (": " if self._step else ":"), value[key]) for key in keys], level)
        elif isinstance(value, list) and not is_nil(value):
            self._group("[]", [("", one) for one in value], level)
        else:
            self._put(self._scalar(value))

    def _group(self, brackets: str, members: list[tuple[str, object]], level: int) -> None:
        if not members:
            self._put(brackets)
            return
        start = "\n" + self._step * (level + 1) if self._step else ""
        self._put(brackets[0])
        for index, (name, value) in enumerate(members):
            self._put(("," if index else "") + start + name)
            self.write(value, level + 1)
        self._put(("\n" + self._step * level if self._step else "") + brackets[1])

    def _scalar(self, value: object) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int):
            return str(int(value))
        if isinstance(value, float):
            if not math.isfinite(value):
                raise _NotJsonError("JSON has no number that is infinite or none")
            return number_text(value)
        if isinstance(value, str):
            return self._string(value)
        return self._string(value.in_json()) if isinstance(value, GoObject) else "null"

    def _string(self, value: str) -> str:
        self._allowance.take_work(_CHARACTER_WORK * len(value))
        room = self._length
        pieces = made_of(replaced_strays(value, _STRAY), lambda part: part.translate(self._escapes))
        text = joined(pieces, lambda length: self._allowance.check_text(room + length))
        return f'"{text}"'

    def _put(self, piece: str) -> None:
        self._length += len(piece)
        self._allowance.check_text(self._length)
        self._pieces.append(piece)


def _written(allowance: Allowance, value: object, *, html: bool = True, step: str = "") -> str:
    writer = _Writer(allowance, html=html, step=step)
    writer.write(value)
    return writer.text()


def _quiet_writing(*, step: str = "") -> Callable[[Allowance, object], str]:
    def write(allowance: Allowance, value: object) -> str:
        try:
            return _written(allowance, value, step=step)
        except _NotJsonError:
            return ""

    return write


def _writing(*, html: bool = True, step: str = "") -> Callable[[Allowance, object], str]:
    return lambda allowance, value: _written(allowance, value, html=html, step=step)


def _read(allowance: Allowance, text: str) -> object:
    """Raises FunctionError where it is not JSON."""
    allowance.take_elements(text.count(",") + text.count("[") + text.count("{"))
    allowance.take_work(_CHARACTER_WORK * len(text))
    try:
        return _values(
            json.loads(
                bytes_of(text).decode("utf-8", "replace"), parse_int=_float, parse_float=_float, parse_constant=_refused
            )
        )
    except ValueError:
        raise _NotJsonError("it is not JSON") from None


def _float(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError("a number is too large")
    return number


def _refused(_: str) -> object:
    raise ValueError("JSON has no such number")


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
    "mustToPrettyJson": _writing(step="  "),
    "mustToRawJson": _writing(html=False),
    "toJson": _quiet_writing(),
    "toPrettyJson": _quiet_writing(step="  "),
    "toRawJson": _writing(html=False),
}
