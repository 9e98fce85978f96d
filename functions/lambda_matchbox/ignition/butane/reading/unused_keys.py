"""Warnings for unused keys, and the positions of nodes."""

from collections.abc import Iterator
from typing import cast

from lambda_matchbox.ignition.butane.dialects import Dialect
from lambda_matchbox.ignition.butane.reading.yaml_nodes import Mapping, Node, Sequence, written_key
from lambda_matchbox.ignition.butane.report import Path, Position, ReportEntry, path_text
from lambda_matchbox.ignition.butane.schema import fields_of
from lambda_matchbox.ignition.butane.structs import Sourced

_MISMATCH = (
    "context tree does not match content tree at {}. Line and column reporting may be inconsistent."
    " Unused keys may not be reported"
)


def unused_keys(config: Sourced, document: Node | None, dialect: Dialect) -> Iterator[ReportEntry]:
    """The warnings in the order of the config's fields."""
    yield from _of_struct("Config", config, (), document, dialect)


class Positions:
    """The positions of a document's nodes; each mapping is searched once."""

    def __init__(self, document: Node | None) -> None:
        self._document = document
        self._members: dict[int, dict[str, Node]] = {}

    def of(self, path: Path) -> Position | None:
        """The position of the deepest node along `path`; nodes behind an alias have none of their own."""
        node = self._document
        position = None if node is None else node.position
        for part in path:
            node = self._member(node, part)
            if node is None:
                break
            position = node.position
        return position

    def _member(self, node: Node | None, part: str | int) -> Node | None:
        if not (isinstance(node, Mapping) and isinstance(part, str)):
            return member_of(node, part)
        members = self._members.get(id(node))
        if members is None:
            members = {written_key(key): value for key, value in node.pairs}
            self._members[id(node)] = members
        return members.get(part)


def member_of(node: Node | None, part: str | int) -> Node | None:
    """The node at a key or index; of a repeated key the last."""
    if isinstance(node, Mapping):
        found = [value for key, value in node.pairs if written_key(key) == part]
        return found[-1] if found else None
    if isinstance(node, Sequence) and isinstance(part, int) and part < len(node.items):
        return node.items[part]
    return None


def _of_struct(struct: str, value: Sourced, path: Path, node: Node | None, dialect: Dialect) -> Iterator[ReportEntry]:
    fields = fields_of(struct, dialect)
    if node is not None and not isinstance(node, Mapping):
        yield ReportEntry.warning(path, _MISMATCH.format(path_text(path)), node.position)
    elif node is not None:
        known = {field.key for field in fields}
        for key, _ in node.pairs:
            name = written_key(key)
            if name not in known:
                yield ReportEntry.warning((*path, name), f"unused key {name}", key.position)
    for field in fields:
        member = value.get(field.name)
        below = (*path, field.key)
        inner = member_of(node, field.key)
        if isinstance(member, Sourced):
            yield from _of_struct(field.kind, member, below, inner, dialect)
        elif isinstance(member, list) and member and isinstance(member[0], Sourced):
            for index, one in enumerate(cast(list[Sourced], member)):
                item = member_of(inner, index)
                yield from _of_struct(field.kind[1:-1], one, (*below, index), item, dialect)
