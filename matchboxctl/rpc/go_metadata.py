"""A group's metadata as it travels: the bytes of a JSON object, read and written as Go does."""

import json
import math
from collections.abc import Mapping

from lambda_matchbox.golang.json import without_surrogates
from lambda_matchbox.golang.json_encoder import compact, with_sorted_keys
from matchboxctl.rpc.go_json_faults import json_fault

# All whole numbers up to here are floats as well.
_EXACT = 2**53
_GO_TYPES = {list: "array", str: "string", float: "number", int: "number", bool: "bool"}


class MetadataError(ValueError):
    """Metadata that are no JSON object, in Go's words."""


def read_metadata(raw: bytes) -> dict[str, object]:
    """The object, empty for null and for nothing at all. Raises MetadataError."""
    if not raw:
        return {}
    if fault := json_fault(raw):
        raise MetadataError(fault)
    too_large: list[str] = []

    def number(text: str) -> float:
        value = float(text)
        if math.isinf(value):
            too_large.append(text)
        # An export shall show whole numbers as such. A float's zero has a sign.
        whole = value.is_integer() and abs(value) <= _EXACT and str(value) != "-0.0"
        return int(value) if whole else value

    # As Go: each byte that is no UTF-8 is a letter of its own.
    text = without_surrogates(raw.decode("utf-8", "surrogateescape"))
    value = _without_surrogates(json.loads(text, parse_int=number, parse_float=number))
    if value is not None and not isinstance(value, dict):
        kind = _GO_TYPES[type(value)]
        raise MetadataError(f"json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}")
    if too_large:
        raise MetadataError(f"json: cannot unmarshal number {too_large[0]} into Go value of type float64")
    return value or {}


def write_metadata(metadata: Mapping[str, object]) -> bytes:
    """The object, compact and sorted; nothing where it is empty."""
    return compact(with_sorted_keys(_with_floats(metadata))).encode() if metadata else b""


def _with_floats(value: object) -> object:
    """Whole numbers that no float has, which a file by hand may have, as the floats that Go takes them for."""
    if isinstance(value, int) and abs(value) > _EXACT:
        return float(value)
    if isinstance(value, Mapping):
        return {key: _with_floats(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_with_floats(member) for member in value]
    return value


def _without_surrogates(value: object) -> object:
    """Halves of surrogate pairs may have been escaped."""
    if isinstance(value, str):
        return without_surrogates(value)
    if isinstance(value, dict):
        return {without_surrogates(key): _without_surrogates(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_without_surrogates(member) for member in value]
    return value
