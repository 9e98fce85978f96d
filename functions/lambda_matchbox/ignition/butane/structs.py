"""Structs of a config that know their origin in the Butane text."""

from functools import reduce
from typing import cast

from lambda_matchbox.ignition.butane.dialects import Dialect
from lambda_matchbox.ignition.butane.report import Path
from lambda_matchbox.ignition.butane.schema import SCALARS, fields_of, snake
from lambda_matchbox.ignition.config.reader import Struct


class Sourced(Struct):
    """A struct with Ignition's names; `origin` is the path in the text from which it was read or derived.

    If `is_made`, all its members have that path. `moved` has the paths of members with another origin, by their path in
    this struct, like `contents` or `sshAuthorizedKeys.2`.
    """

    def __init__(self, origin: Path) -> None:
        super().__init__()
        self.origin = origin
        self.is_made = False
        self.moved: dict[str, Path] = {}


def empty(struct: str, dialect: Dialect, origin: Path) -> Sourced:
    """A struct without values."""
    value = Sourced(origin)
    for field in fields_of(struct, dialect):
        if field.kind.startswith("["):
            value[field.name] = []
        elif field.kind.rstrip("!0") not in SCALARS:
            value[field.name] = empty(field.kind, dialect, (*origin, field.key))
    return value


def made(struct: str, dialect: Dialect, origin: Path, **members: object) -> Sourced:
    """A struct derived from the node at `origin`."""
    value = empty(struct, dialect, origin)
    value.update(members)
    value.is_made = True
    return value


def parts_of(path: str) -> Path:
    """The parts of a path like `$.storage.files.0`."""
    return tuple(int(part) if part.isascii() and part.isdigit() else part for part in path.split(".")[1:])


def source_of(config: Sourced, path: str) -> Path:
    """The path in the text for a path in the translated config, like `$.storage.files.0.contents.source`."""
    node: object = config
    base: Path = ()
    rest: list[str | int] = []
    parts = parts_of(path)
    for index, part in enumerate(parts):
        if isinstance(node, Sourced):
            base, rest = node.origin, []
            moved = node.moved.get(".".join(map(str, parts[index:])))
            if moved is not None:
                return moved
            if node.is_made and not _is_empty(reduce(_member, parts[index:], cast(object, node))):
                return base
        rest.append(snake(part) if isinstance(part, str) else part)
        node = _member(node, part)
    if _is_empty(node):
        # Butane knows no origin of what is missing or empty.
        return tuple(snake(part) if isinstance(part, str) else part for part in parts)
    if isinstance(node, Sourced):
        return node.origin
    return base + tuple(rest)


def _is_empty(node: object) -> bool:
    return all(map(_is_empty, node.values())) if isinstance(node, dict) else node in (None, "", [])


def _member(node: object, part: str | int) -> object:
    if isinstance(node, dict):
        return node.get(part)
    if isinstance(node, list) and isinstance(part, int) and part < len(node):
        return node[part]
    return None
