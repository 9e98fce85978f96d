"""Ignition configs read from JSON and written back, as Go's encoding/json does with Ignition's structs.

A struct becomes a dict with all its structs and lists, and the scalars that the config has. Keys match in any case,
unknown ones are ignored, and null counts as absent.
"""

from collections.abc import Mapping
from typing import cast

from lambda_matchbox.golang.json import Members, without_surrogates
from lambda_matchbox.ignition.config.schema import fields_of

Struct = dict[str, object]

_INTEGERS = range(-(2**63), 2**63)
_TYPES = {"string": "a string", "int": "an integer", "bool": "true or false"}


class MismatchError(ValueError):
    """A value of the wrong type; `path` is like `$.storage.files.0.mode`."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


def read_struct(struct: str, document: object, minor: int) -> Struct:
    """`document`, as `golang.json` decodes it, as a struct of Ignition 3.`minor`.

    Raises:
        MismatchError: a value has the wrong type.
    """
    return _read_struct(struct, document, minor, "$", _empty(struct, minor))


def written(struct: str, value: Mapping[str, object], minor: int) -> Struct:
    """`value` as Ignition 3.`minor` writes it, in its order."""
    result: Struct = {}
    for name, kind in fields_of(struct, minor).items():
        member = value.get(name)
        if kind.startswith("["):
            if member:
                result[name] = [_written_element(kind[1:-1], one, minor) for one in cast(list[object], member)]
        elif kind == "string!":
            result[name] = member or ""
        elif kind in {"string0", "int0"}:
            if member:
                result[name] = member
        elif kind in _TYPES:
            if member is not None:
                result[name] = member
        else:
            result[name] = written(kind, cast(Struct, member or {}), minor)
    return result


def _written_element(kind: str, value: object, minor: int) -> object:
    return written(kind, value, minor) if isinstance(value, dict) else value


def _empty(struct: str, minor: int) -> Struct:
    value: Struct = {}
    for name, kind in fields_of(struct, minor).items():
        if kind.startswith("["):
            value[name] = []
        elif kind.rstrip("!0") not in _TYPES:
            value[name] = _empty(kind, minor)
    return value


def _read_struct(struct: str, document: object, minor: int, path: str, value: Struct) -> Struct:
    if document is None:
        return value
    if not isinstance(document, Members):
        raise MismatchError(path, "must be an object")
    fields = fields_of(struct, minor)
    folded = {name.casefold(): name for name in fields}
    for name, kind in fields.items():
        if kind == "string!":
            value.setdefault(name, "")
    for key, member in document:
        name = key if key in fields else folded.get(key.casefold(), "")
        if name:
            _read_member(value, name, fields[name], member, minor, f"{path}.{name}")
    return value


def _read_member(value: Struct, name: str, kind: str, member: object, minor: int, path: str) -> None:
    if kind.startswith("["):
        value[name] = _read_list(kind[1:-1], member, minor, path)
    elif kind.rstrip("!0") not in _TYPES:
        value[name] = _read_struct(kind, member, minor, path, cast(Struct, value[name]))
    elif member is not None:
        value[name] = _read_scalar(kind.rstrip("!0"), member, path)
    elif kind in _TYPES:
        value.pop(name, None)


def _read_list(kind: str, document: object, minor: int, path: str) -> list[object]:
    if document is None:
        return []
    if not isinstance(document, list):
        raise MismatchError(path, "must be a list")
    if kind in {"string", "Device"}:
        return ["" if one is None else _read_scalar("string", one, f"{path}.{i}") for i, one in enumerate(document)]
    return [
        _read_struct(kind, Members() if one is None else one, minor, f"{path}.{index}", _empty(kind, minor))
        for index, one in enumerate(document)
    ]


def _read_scalar(kind: str, value: object, path: str) -> object:
    if kind == "string" and isinstance(value, str):
        return without_surrogates(value)
    if kind == "bool" and isinstance(value, bool):
        return value
    if kind == "int" and isinstance(value, int) and not isinstance(value, bool) and value in _INTEGERS:
        return value
    raise MismatchError(path, f"must be {_TYPES[kind]}")


def text(value: Struct, name: str) -> str:
    """The string of a member; empty if absent."""
    found = value.get(name)
    return found if isinstance(found, str) else ""


def structs(value: Struct, name: str) -> list[Struct]:
    """The structs in a list member."""
    found = value.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def struct(value: Struct, name: str) -> Struct:
    """The struct of a member; empty if this version has none."""
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def number(value: Struct, name: str) -> int | None:
    """The integer of a member; None if absent."""
    found = value.get(name)
    return found if isinstance(found, int) else None
