"""The predefined functions of Go's text/template, for the values of `golang.values`.

The text that one rendering makes is limited: a template that doubles a string in a loop fails before memory is
exhausted. Messages quote no value.
"""

import re
from collections.abc import Callable

from lambda_matchbox.golang.chunks import joined, made_of
from lambda_matchbox.golang.format import OutputTooLongError
from lambda_matchbox.golang.print import sprint, sprintf, sprintln
from lambda_matchbox.golang.quote import is_printable
from lambda_matchbox.golang.text import bytes_of, stray_byte, text_of
from lambda_matchbox.golang.values import GoValueError, StringMap, type_name
from lambda_matchbox.gotemplate.errors import FunctionError
from lambda_matchbox.gotemplate.limits import Limits

_HTML = str.maketrans({"\0": "\ufffd", '"': "&#34;", "'": "&#39;", "&": "&amp;", "<": "&lt;", ">": "&gt;"})
_JAVASCRIPT = {"\\": r"\\", "'": r"\'", '"': r"\""} | {character: f"\\u{ord(character):04X}" for character in "<>&="}
_IN_JAVASCRIPT = "[\\\\'\"<>&=]"
_ORDERED = (int, float, str)
_MAX_SLICE_INDEXES = 3

# For each printed character of a list or map.
_COMPOSITE_WORK = 5

Function = Callable[..., object]
Print = Callable[[tuple[object, ...], int], str]


def template_functions(limits: Limits) -> dict[str, Function]:
    """The functions by name; the text that they take and return counts against the limits.

    Each raises `FunctionError` where Go's fails. `and` and `or` are part of the language; `call` has no function to
    call in JSON.
    """
    text = _TextFunctions(limits)
    others: dict[str, Function] = {
        "eq": _equals_any,
        "ge": lambda *values: not _less(*_pair(values)),
        "gt": lambda *values: _less(*_pair(values)[::-1]),
        "index": _index,
        "le": lambda *values: not _less(*_pair(values)[::-1]),
        "len": _length,
        "lt": lambda *values: _less(*_pair(values)),
        "ne": lambda *values: not _equal(*_pair(values)),
        "not": _is_false,
        "slice": _slice,
    }
    return {
        "html": text.html,
        "js": text.javascript,
        "print": text.print,
        "printf": text.printf,
        "println": text.println,
        "urlquery": text.url_query,
    } | {name: text.charging(function) for name, function in others.items()}


class _TextFunctions:
    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def charging(self, function: Function) -> Function:
        """`function`, whose arguments count against the limits."""

        def call(*values: object) -> object:
            self._limits.call()
            self._limits.take_text(sum(len(value) for value in values if isinstance(value, str)))
            made = function(*values)
            if isinstance(made, list):
                self._limits.take_work(len(made))
            return made

        return call

    def print(self, *values: object) -> str:
        return self._printed(sprint, values)

    def println(self, *values: object) -> str:
        return self._printed(sprintln, values)

    def printf(self, *values: object) -> str:
        if not values or not isinstance(values[0], str):
            raise FunctionError("the format must be a string")
        form = values[0]
        return self._printed(lambda rest, room: sprintf(form, rest, room), values[1:])

    def html(self, *values: object) -> str:
        return self._escaped(values, lambda part: part.translate(_HTML))

    def javascript(self, *values: object) -> str:
        return self._escaped(values, _javascript)

    def url_query(self, *values: object) -> str:
        from urllib.parse import quote_from_bytes

        return self._escaped(values, lambda part: quote_from_bytes(bytes_of(part), safe=" ").replace(" ", "+"))

    def _escaped(self, values: tuple[object, ...], escape: Callable[[str], str]) -> str:
        """The printed values escaped; checked while it is made, since it can be nine times as long."""
        text = self._printed(sprint, tuple("<no value>" if type_name(one) == "<nil>" else one for one in values))
        made = joined(made_of(text, escape), self._limits.check_text)
        self._limits.take_text(len(made))
        return made

    def _printed(self, print_: Print, values: tuple[object, ...]) -> str:
        self._limits.call()
        text = printed(self._limits, print_, values)
        self._limits.take_text(len(text))
        return text


def printed(limits: Limits, print_: Print, values: tuple[object, ...]) -> str:
    """`print_` of the values. Raises FunctionError if its text is too long.

    Lists and maps cost work for each character: those that contain each other twice have endless text.
    """
    composite = any(isinstance(value, list | dict) for value in values)
    room = min(limits.text, limits.work // _COMPOSITE_WORK) if composite else limits.text
    try:
        text = print_(values, room)
    except OutputTooLongError:
        if room == limits.text:
            raise limits.too_much_text() from None
        raise FunctionError("the text of lists and maps is too long") from None
    except RecursionError:
        raise FunctionError("the printed value is nested too deeply") from None
    except GoValueError as error:
        raise FunctionError(str(error)) from None
    if composite:
        limits.take_work(_COMPOSITE_WORK * len(text))
    return text


def _javascript(part: str) -> str:
    if part.isprintable() and not re.search(_IN_JAVASCRIPT, part):
        return part
    return "".join([_in_javascript(character) for character in part])


def _in_javascript(character: str) -> str:
    if character in _JAVASCRIPT:
        return _JAVASCRIPT[character]
    if character >= " " and (character < "\x80" or is_printable(character) or stray_byte(character) is not None):
        return character
    return f"\\u{ord(character):04X}"


def _pair(values: tuple[object, ...]) -> tuple[object, object]:
    if len(values) != 2:
        raise FunctionError("two arguments are required")
    return values[0], values[1]


def _kind(value: object) -> str:
    name = type_name(value)
    if name in ("int64", "uint64"):
        return "int"
    return name if name in {"bool", "int", "float64", "string", "<nil>"} else "composite"


def _equals_any(*values: object) -> bool:
    if len(values) < 2:
        raise FunctionError("at least two arguments are required")
    return any(_equal(values[0], other) for other in values[1:])


def _equal(left: object, right: object) -> bool:
    kinds = {_kind(left), _kind(right)}
    if "<nil>" in kinds:
        return len(kinds) == 1
    if len(kinds) > 1:
        raise FunctionError("incompatible types for comparison")
    if "composite" in kinds:
        raise FunctionError("lists and maps cannot be compared")
    return left == right


def _less(left: object, right: object) -> bool:
    if _kind(left) != _kind(right):
        raise FunctionError("incompatible types for comparison")
    if isinstance(left, str) and isinstance(right, str):
        return bytes_of(left) < bytes_of(right)
    if isinstance(left, bool) or not isinstance(left, _ORDERED):
        raise FunctionError("the type has no order")
    return bool(left < right)  # type: ignore[operator]  # one kind, and numbers


def _is_false(*values: object) -> bool:
    if len(values) != 1:
        raise FunctionError("one argument is required")
    return type_name(values[0]) == "<nil>" or not values[0]


def _length(*values: object) -> int:
    if len(values) != 1:
        raise FunctionError("one argument is required")
    value = values[0]
    if isinstance(value, str):
        return len(bytes_of(value))
    if isinstance(value, list | dict):
        return len(value)
    raise FunctionError(f"{type_name(value)} has no length")


def _index(*values: object) -> object:
    if not values:
        raise FunctionError("at least one argument is required")
    value = values[0]
    if type_name(value) == "<nil>":
        raise FunctionError("nil has no elements")
    for index in values[1:]:
        value = _element(value, index)
    return value


def _element(value: object, index: object) -> object:
    if isinstance(value, dict):
        if not isinstance(index, str):
            raise FunctionError("the index of a map must be a string")
        return value.get(index, "" if isinstance(value, StringMap) else None)
    sequence = bytes_of(value) if isinstance(value, str) else value
    if not isinstance(sequence, bytes | list):
        raise FunctionError(f"{type_name(value)} has no elements")
    return sequence[_position(index, len(sequence) - 1)]


def _slice(*values: object) -> object:
    if not values:
        raise FunctionError("at least one argument is required")
    value, indexes = values[0], values[1:]
    sequence = bytes_of(value) if isinstance(value, str) else value
    if not isinstance(sequence, bytes | list):
        raise FunctionError(f"{type_name(value)} cannot be sliced")
    if len(indexes) > (2 if isinstance(sequence, bytes) else _MAX_SLICE_INDEXES):
        raise FunctionError("too many indexes")
    positions = [_position(index, len(sequence)) for index in indexes]
    if positions != sorted(positions):
        raise FunctionError("the indexes must ascend")
    start, stop = [*positions[:2], *[0, len(sequence)][len(positions[:2]) :]]
    part = sequence[start:stop]
    return text_of(part) if isinstance(part, bytes) else type(sequence)(part)


def _position(index: object, greatest: int) -> int:
    if isinstance(index, bool) or not isinstance(index, int):
        raise FunctionError("the index of a sequence must be an integer")
    if not 0 <= index <= greatest:
        raise FunctionError("the index is out of range")
    return index
