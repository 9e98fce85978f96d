"""Translated configs in Butane's own form: in Ignition's order, without empty members.

The recordings of Butane are compared with it. `config.reader.written` has the form that is served.
"""

from typing import cast

from lambda_matchbox.ignition.config.reader import Struct
from lambda_matchbox.ignition.config.schema import fields_of

_ALWAYS = "!"
_NOT_EMPTY = "0"


def sparse(struct: str, value: Struct, minor: int) -> Struct:
    """`value`, a struct of Ignition 3.`minor`, as JSON values without empty structs and lists."""
    result: Struct = {}
    for name, kind in fields_of(struct, minor).items():
        member = value.get(name)
        if kind.startswith("["):
            if member:
                result[name] = [_element(kind[1:-1], one, minor) for one in cast(list[object], member)]
        elif isinstance(member, dict):
            inner = sparse(kind, member, minor)
            if inner:
                result[name] = inner
        elif member is not None and (member or not kind.endswith(_NOT_EMPTY)):
            result[name] = member
    return result


def _element(kind: str, value: object, minor: int) -> object:
    if not isinstance(value, dict):
        return value
    needed = {name: "" for name, wanted in fields_of(kind, minor).items() if wanted.endswith(_ALWAYS)}
    return sparse(kind, {**needed, **value}, minor)
