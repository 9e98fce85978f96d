"""How Go's encoding/json writes a value: `json.Marshal`, and `json.MarshalIndent` with a tab."""

import json
from collections.abc import Mapping

from lambda_matchbox.golang.json import number_text

_ESCAPES = str.maketrans({"<": r"\u003c", ">": r"\u003e", "&": r"\u0026", "\u2028": r"\u2028", "\u2029": r"\u2029"})


def compact(value: object) -> str:
    """The value without white space, members in their order.

    It is made of mappings with texts as keys, lists, texts, numbers, booleans and None. Whole numbers have all their
    digits, where Go would make a float64 of them.
    """
    pieces: list[str] = []
    _write(pieces, value, None)
    return "".join(pieces)


def indented(value: object) -> str:
    """The value with a line for each member, indented with tabs, and no end of line behind it."""
    pieces: list[str] = []
    _write(pieces, value, "\n")
    return "".join(pieces)


def with_sorted_keys(value: object) -> object:
    """The value with the members of all its mappings sorted by their keys' bytes, as Go writes a map."""
    if isinstance(value, Mapping):
        return {key: with_sorted_keys(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [with_sorted_keys(member) for member in value]
    return value


def _write(pieces: list[str], value: object, margin: str | None) -> None:
    """`margin` is the end of line before this value's last line, None where there is one line only."""
    if isinstance(value, str):
        pieces.append(_text(value))
    elif value is None or isinstance(value, bool):
        pieces.append(json.dumps(value))
    elif isinstance(value, int):
        pieces.append(str(value))
    elif isinstance(value, float):
        pieces.append(number_text(value))
    elif isinstance(value, Mapping):
        _write_members(pieces, "{}", [(f"{_text(key)}:", member) for key, member in value.items()], margin)
    elif isinstance(value, list | tuple):
        _write_members(pieces, "[]", [("", member) for member in value], margin)
    else:
        raise TypeError(f"JSON has no {type(value).__name__}")


def _write_members(pieces: list[str], braces: str, members: list[tuple[str, object]], margin: str | None) -> None:
    inner = None if margin is None else f"{margin}\t"
    before = braces[0]
    for name, member in members:
        pieces += before, inner or "", name
        if name and inner is not None:
            pieces.append(" ")
        _write(pieces, member, inner)
        before = ","
    pieces += (margin or "", braces[1]) if members else (braces,)


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).translate(_ESCAPES)
