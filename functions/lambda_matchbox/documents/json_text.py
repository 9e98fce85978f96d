"""JSON documents that operators write, read as Go reads them, with the line of each error."""

import json
import math
import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, TypeVar

from lambda_matchbox.errors import DocumentError
from lambda_matchbox.golang.json import JsonDepthError, JsonError, decode

_MAX_SHOWN = 40
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"?|[][{}:,]|[^][{}:,"\s]+', re.DOTALL)

if TYPE_CHECKING:
    from pydantic import BaseModel

_Model = TypeVar("_Model", bound="BaseModel")

# By the types of pydantic's errors, which speak of Python.
_REASONS = {
    "missing": "missing",
    "string_type": "not a string",
    "int_type": "not an integer",
    "list_type": "not a list",
    "dict_type": "not an object",
    "model_type": "not an object",
}


def validated(model: type[_Model], text: bytes) -> _Model:
    """The document in `text`. Raises DocumentError."""
    from pydantic import ValidationError

    try:
        return model.model_validate(_json_object(text))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        unknown = first["type"] == "extra_forbidden"
        why = _unknown(model, first["loc"]) if unknown else _REASONS.get(first["type"], first["msg"])
        raise refusal(text, first["loc"], why) from error


def _unknown(model: "type[BaseModel]", path: Sequence[str | int]) -> str:
    close = get_close_matches(str(path[0]), model.model_fields, 1, cutoff=0.7) if len(path) == 1 else []
    return f"unknown field: did you mean {close[0]!r}?" if close else "unknown field"


def refusal(text: bytes, path: Sequence[str | int], why: str) -> DocumentError:
    """The error for the value at `path` of the document."""
    field = ".".join(str(part) for part in path)
    return DocumentError(f"{field}: {why}", line_of_path(text, path))


def _json_object(text: bytes) -> object:
    try:
        parsed = decode(text, members=dict, integer=_integer, number=_finite, constant=_no_constant)
    except _UnusableValueError as error:
        raise DocumentError(str(error), _line_of_value(_decoded(text), error.value)) from error
    except JsonDepthError as error:
        raise DocumentError(error.reason, _line_of_deepest(_decoded(text))) from error
    except JsonError as error:
        raise DocumentError(f"not JSON: {error.reason}", error.line) from error
    if not isinstance(parsed, dict):
        written = _decoded(text)
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
