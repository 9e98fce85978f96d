"""JSON documents that operators write, read as Go reads them, with the line of each error."""

import json
import math
import re
from collections.abc import Collection, Sequence
from difflib import get_close_matches
from typing import Any

from lambda_matchbox.errors import DocumentError
from lambda_matchbox.golang.json import JsonDepthError, JsonError, decode

_MAX_SHOWN = 40
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"?|[][{}:,]|[^][{}:,"\s]+', re.DOTALL)


class JsonObject:
    """The members of an object in a document, read by their types. Every method raises DocumentError."""

    def __init__(self, members: dict[str, Any], text: bytes, path: Sequence[str] = ()) -> None:
        self._members = members
        self._text = text
        self._path = path

    def value(self, name: str) -> Any:
        """The value, of any type; None if it is absent."""
        return self._members.get(name)

    def string(self, name: str, default: str | None = "") -> str:
        """The string; without a default, it has to be there."""
        if default is None and name not in self._members:
            raise self._refusal("missing", name)
        return self._string(self._members.get(name, default), name)

    def optional_string(self, name: str) -> str | None:
        """The string; None if it is absent or null."""
        return None if self.value(name) is None else self.string(name)

    def integer(self, name: str, default: int) -> int:
        """The integer."""
        value = self._members.get(name, default)
        # A bool is one to Python.
        if type(value) is not int:
            raise self._refusal("not an integer", name)
        return value

    def strings(self, *path: str) -> list[str]:
        """The list of strings at the path; an empty one if it is absent."""
        value: Any = self._members
        for name in path:
            value = value.get(name, [])
        if not isinstance(value, list):
            raise self._refusal("not a list", *path)
        return [self._string(one, *path, at) for at, one in enumerate(value)]

    def mapping(self, name: str) -> dict[str, Any]:
        """The object as it is; an empty one if it is absent."""
        value = self._members.get(name, {})
        if not isinstance(value, dict):
            raise self._refusal("not an object", name)
        return value

    def section(self, name: str) -> "JsonObject | None":
        """The object; None if it is absent or null."""
        return None if self.value(name) is None else JsonObject(self.mapping(name), self._text, (*self._path, name))

    def as_in_go(self, names: Collection[str]) -> "JsonObject":
        """The members of these names, written in any case; null is what is absent, or an empty string in a list."""
        members = {key.lower(): value for key, value in self._members.items() if key.lower() in names}
        known = {key: _without_nulls(value) for key, value in members.items() if value is not None}
        return JsonObject(known, self._text, self._path)

    def refuse_unknown(self, names: Collection[str]) -> None:
        """Refuse members of other names."""
        for name in [member for member in self._members if member not in names]:
            close = [] if self._path else get_close_matches(name, names, 1, cutoff=0.7)
            raise self._refusal(f"unknown field: did you mean {close[0]!r}?" if close else "unknown field", name)

    def _string(self, value: object, *path: str | int) -> str:
        if not isinstance(value, str):
            raise self._refusal("not a string", *path)
        return value

    def _refusal(self, why: str, *path: str | int) -> DocumentError:
        return refusal(self._text, (*self._path, *path), why)


def object_in(text: bytes) -> JsonObject:
    """The object that the text is. Raises DocumentError."""
    return JsonObject(_json_object(text), text)


def _without_nulls(value: Any) -> Any:
    return ["" if one is None else one for one in value] if isinstance(value, list) else value


def refusal(text: bytes, path: Sequence[str | int], why: str) -> DocumentError:
    """The error for the value at `path` of the document."""
    field = ".".join(str(part) for part in path)
    return DocumentError(f"{field}: {why}", line_of_path(text, path))


def _json_object(text: bytes) -> dict[str, Any]:
    written = _decoded(text)
    try:
        parsed = decode(text, members=dict, integer=_integer, number=_finite, constant=_no_constant)
    except _UnusableValueError as error:
        raise DocumentError(str(error), _line_of_value(written, error.value)) from error
    except JsonDepthError as error:
        raise DocumentError(error.reason, _line_of_deepest(written)) from error
    except JsonError as error:
        raise DocumentError(f"not JSON: {error.reason}", error.line) from error
    if not isinstance(parsed, dict):
        raise DocumentError("not a JSON object", _line_at(written, len(written) - len(written.lstrip())))
    return parsed


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", "replace")


class _UnusableValueError(Exception):
    """A number or constant that Go's JSON does not have."""

    def __init__(self, value: str, why: str) -> None:
        super().__init__(why)
        self.value = value


def _no_constant(name: str) -> object:
    raise _UnusableValueError(name, f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        shown = text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."
        raise _UnusableValueError(text, f"the number {shown} is too large")
    return number


def _integer(text: str) -> float:
    # Go reads a float64, which has a largest value and a negative zero.
    _finite(text)
    return int(text) if text != "-0" else -0.0


def _line_at(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _line_of_value(text: str, value: str) -> int:
    """The line of the first token that begins with `value`; 1 where none does."""
    found = (token.start() for token in _TOKEN.finditer(text) if token[0].startswith(value))
    return _line_at(text, next(found, 0))


def _line_of_deepest(text: str) -> int:
    """The first line on which the most lists and objects are open."""
    depth = deepest = position = 0
    for token in _TOKEN.finditer(text):
        depth += (token[0] in "{[") - (token[0] in "}]")
        if depth > deepest:
            deepest, position = depth, token.start()
    return _line_at(text, position)


def line_of_path(document: bytes, path: Sequence[str | int]) -> int:
    """The line of a key or list element in a document that parses, or of its nearest parent.

    A key that `path` has in lower case may be written in any case. Of a repeated key the last counts, as for Go.
    """
    text = _decoded(document)
    here: list[str | int] = []
    due = False  # whether a key or an element comes next
    level = position = 0
    for token in _TOKEN.finditer(text):
        word = token[0]
        if word in "}]":
            here.pop()
            due = False
            continue
        if due:
            last = here[-1]
            here[-1] = last + 1 if isinstance(last, int) else json.loads(word)
            due = False
            if level <= len(here) <= len(path) and all(map(_is, here, path)):
                level, position = len(here), token.start()
        if word in "{[":
            here.append("" if word == "{" else -1)
        due = word in "{[,"
    return _line_at(text, position)


def _is(key: str | int, wanted: str | int) -> bool:
    return key == wanted or (isinstance(key, str) and key.lower() == wanted)
