"""JSON that operators write, read as Go reads it, with the line of what is wrong.

pydantic is heavy, so this is for what is imported or read from a directory, never for the boot path on the table.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from lambda_matchbox.documents.json_lines import line_at, line_of_deepest, line_of_path, line_of_value
from lambda_matchbox.errors import MatchboxError

_LONGEST_SHOWN = 40

_Model = TypeVar("_Model", bound=BaseModel)


class DocumentError(MatchboxError):
    """A document that is no group, profile or image source; the message names line and field."""


def validated(model: type[_Model], text: bytes) -> _Model:
    """The document in `text`. Raises DocumentError."""
    try:
        return model.model_validate(_json_object(text))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        why = "there is no such field" if first["type"] == "extra_forbidden" else first["msg"]
        raise refusal(text, first["loc"], why) from error


def refusal(text: bytes, path: Sequence[str | int], why: str) -> DocumentError:
    """The error for what stands at `path` in the document."""
    field = ".".join(str(part) for part in path)
    return DocumentError(f"line {line_of_path(_decoded(text), path)}: {field}: {why}")


def _json_object(text: bytes) -> object:
    """The JSON in `text`, in which what is no UTF-8 or half a surrogate pair is U+FFFD, as with Go."""
    written = _decoded(text)
    try:
        parsed: object = json.loads(written, parse_constant=_no_constant, parse_float=_finite, parse_int=_integer)
        if re.search(rb"\\u[dD]", text):
            parsed = _paired(parsed)
    except _UnusableValueError as error:
        raise DocumentError(f"line {line_of_value(written, error.value)}: {error}") from error
    except json.JSONDecodeError as error:
        raise DocumentError(f"line {error.lineno}: not JSON: {error.msg}") from error
    except RecursionError as error:
        raise DocumentError(f"line {line_of_deepest(written)}: nested too deeply") from error
    if not isinstance(parsed, dict):
        raise DocumentError(f"line {line_at(written, len(written) - len(written.lstrip()))}: not a JSON object")
    return parsed


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", "replace")


class _UnusableValueError(Exception):
    """A number or word that Go's JSON does not know; where it stands is not told to who finds it."""

    def __init__(self, value: str, why: str) -> None:
        super().__init__(why)
        self.value = value


def _no_constant(name: str) -> object:
    raise _UnusableValueError(name, f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        shown = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
        raise _UnusableValueError(text, f"the number {shown} is too large")
    return number


def _integer(text: str) -> float:
    """A whole number, which Go takes for a float: it may not be larger than one."""
    _finite(text)
    # A float's zero has a sign.
    return int(text) if text != "-0" else -0.0


def _paired(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, Mapping):
        return {_paired(key): _paired(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_paired(item) for item in value]
    return value
