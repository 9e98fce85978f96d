"""Two configs merged, as Ignition merges a child into its parent."""

from typing import cast

from lambda_matchbox.ignition.butane.dialects import Dialect
from lambda_matchbox.ignition.butane.structs import Sourced, empty
from lambda_matchbox.ignition.config.reader import structs, text
from lambda_matchbox.ignition.config.rules import REPEATABLE, key_of
from lambda_matchbox.ignition.config.schema import fields_of

_NODES = ("directories", "files", "links")


def merged(kind: str, parent: Sourced, child: Sourced, dialect: Dialect) -> Sourced:
    """`parent` overridden by `child`. Elements of lists are merged by their keys; the parent's come first."""
    result = empty(kind, dialect, child.origin)
    result.update(child)
    result.is_made = child.is_made
    result.moved = dict(child.moved)
    for name, member_kind in fields_of(kind, dialect.minor).items():
        inherited, own = parent.get(name), child.get(name)
        if kind == "Storage" and name in _NODES:
            inherited = _not_replaced(parent, child, name)
        if isinstance(inherited, list):
            given = cast(list[object], own or [])
            result[name] = _list(f"{kind}.{name}", member_kind[1:-1], inherited, given, dialect)
        elif isinstance(inherited, Sourced):
            result[name] = merged(member_kind, inherited, cast(Sourced, own), dialect)
        elif inherited is not None and own is None:
            result[name] = inherited
            result.moved[name] = parent.origin if parent.is_made else parent.moved.get(name, parent.origin)
    return result


def _list(where: str, kind: str, inherited: list[object], own: list[object], dialect: Dialect) -> list[object]:
    if where in REPEATABLE:
        return inherited + own
    indexes: dict[str, int] = {}
    for index, one in enumerate(own):
        indexes.setdefault(key_of(kind, one), index)
    taken: set[int] = set()
    result: list[object] = []
    for one in inherited:
        own_index = indexes.get(key_of(kind, one))
        if own_index is None or own_index in taken:
            result.append(one)
            continue
        taken.add(own_index)
        result.append(merged(kind, one, cast(Sourced, own[own_index]), dialect) if isinstance(one, Sourced) else one)
    return result + [one for index, one in enumerate(own) if index not in taken]


def _not_replaced(parent: Sourced, child: Sourced, name: str) -> list[object]:
    """The parent's files, directories or links without those for which the child has a node of another kind."""
    others = {text(node, "path") for other in _NODES if other != name for node in structs(child, other)}
    return [node for node in structs(parent, name) if text(node, "path") not in others]
