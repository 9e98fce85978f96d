"""A group's metadata in messages: the bytes of a JSON object, read and written as Go does."""

import json
import math
from collections.abc import Mapping
from typing import NoReturn

from lambda_matchbox.golang.json import compact, with_sorted_keys, without_surrogates

MAX_DEPTH = 200
"""Levels of nesting. Go allows 10,000, a table's item and other readers of JSON fewer."""

# Every integer up to here is a float as well.
_MAX_EXACT = 2**53


class MetadataError(ValueError):
    """Metadata that is not a JSON object; where and why."""


def read_metadata(raw: bytes) -> dict[str, object]:
    """The object; empty for null and for no bytes at all. Raises MetadataError."""
    if not raw:
        return {}
    # As in Go, each byte that is not UTF-8 becomes one U+FFFD.
    text = without_surrogates(raw.decode("utf-8", "surrogateescape"))
    try:
        value = json.loads(text, parse_int=_number, parse_float=_number, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise MetadataError(f"not JSON: line {error.lineno}, column {error.colno}: {error.msg}") from error
    except RecursionError as error:
        raise MetadataError(_TOO_DEEP) from error
    if value is not None and not isinstance(value, dict):
        raise MetadataError("not a JSON object")
    return {without_surrogates(key): _checked(member, 1) for key, member in (value or {}).items()}


def write_metadata(metadata: Mapping[str, object]) -> bytes:
    """The object, compact and with sorted keys; no bytes if it is empty."""
    return compact(with_sorted_keys(_with_floats(metadata))).encode() if metadata else b""


_TOO_DEEP = f"nested more than {MAX_DEPTH} levels deep"


def _number(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise MetadataError(f"the number {text} is too large")
    # Exports show integers without a fraction. -0 stays a float, which has a sign.
    whole = value.is_integer() and abs(value) <= _MAX_EXACT and str(value) != "-0.0"
    return int(value) if whole else value


def _refuse_constant(name: str) -> NoReturn:
    raise MetadataError(f"not JSON: {name}")


def _checked(value: object, depth: int) -> object:
    """The value with U+FFFD for escaped lone surrogates. Raises MetadataError if it is nested too deeply."""
    if isinstance(value, str):
        return without_surrogates(value)
    if isinstance(value, dict | list) and depth == MAX_DEPTH:
        raise MetadataError(_TOO_DEEP)
    if isinstance(value, dict):
        return {without_surrogates(key): _checked(member, depth + 1) for key, member in value.items()}
    if isinstance(value, list):
        return [_checked(member, depth + 1) for member in value]
    return value


def _with_floats(value: object) -> object:
    """Integers that no float can hold, which files edited by hand may have, as the floats that Go reads."""
    if isinstance(value, int) and abs(value) > _MAX_EXACT:
        return float(value)
    if isinstance(value, Mapping):
        return {key: _with_floats(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_with_floats(member) for member in value]
    return value
