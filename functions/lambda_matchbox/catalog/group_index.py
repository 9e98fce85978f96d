"""Groups in memory, indexed by their selectors."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple
from zlib import crc32

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.overlaps import Overlap, overlaps_among
from lambda_matchbox.catalog.selection import Selector, Shape, candidates, keys_of, selectors_of, sort_key, stands_for
from lambda_matchbox.machines.policy import Policy


class IndexedGroups(NamedTuple):
    """What an index is made of: packed groups by their ids, ids by the hashes of selectors, and the numbers of shapes.

    They are the same in every process.
    """

    packed: dict[str, bytes]
    # Most selectors are one group's, and a set is larger than all the rest of it.
    ids: dict[int, str | set[str]]
    shapes: Counter[Shape]


class GroupIndex:
    """Groups by their selectors; a lookup takes one step for each selector shape.

    They are packed, and their selectors are hashed: 100,000 of them take a third of the memory that they take as
    objects.
    """

    def __init__(self, groups: Iterable[Group] = (), contents: IndexedGroups | None = None) -> None:
        self.contents = IndexedGroups({}, {}, Counter()) if contents is None else contents
        self._packed, self._ids, self._shapes = self.contents
        for group in groups:
            self.put(group)

    def __len__(self) -> int:
        return len(self._packed)

    def put(self, group: Group) -> None:
        """Add the group, or replace the one with its id."""
        self.discard(group.id)
        self._packed[group.id] = _packed(group)
        for key in map(_hash, selectors_of(group.selector)):
            ids = self._ids.setdefault(key, group.id)
            if ids != group.id:
                self._ids[key] = {group.id, *_each(ids)}
        self._shapes[keys_of(group.selector)] += 1

    def discard(self, group_id: str) -> None:
        """Remove the group if it exists."""
        group = self.group(group_id)
        if group is None:
            return
        del self._packed[group_id]
        for key in map(_hash, selectors_of(group.selector)):
            if ids := {*_each(self._ids.pop(key, ()))} - {group_id}:
                self._ids[key] = ids
        shape = keys_of(group.selector)
        self._shapes[shape] -= 1
        if not self._shapes[shape]:
            del self._shapes[shape]

    def group(self, group_id: str) -> Group | None:
        """The group with that id, or None."""
        packed = self._packed.get(group_id)
        return None if packed is None else _unpacked(packed)

    def select(self, labels: Mapping[str, str] | None) -> Group | None:
        """The group for these labels by the rule of `catalog.selection`, or None."""
        found = [one for one in candidates(labels, self._shapes) if _hash(one) in self._ids]
        for selector in found if len(found) == 1 else sorted(found, key=lambda one: one.rank, reverse=True):
            if groups := self._with(selector):
                return groups[0]
        return None

    def all(self, labels: Mapping[str, str] | None = None) -> Iterator[Group]:
        """All groups of now, those that match these labels first."""
        matching = [group.id for selector in candidates(labels, self._shapes) for group in self._with(selector)]
        return filter(None, map(self.group, dict.fromkeys([*matching, *self._packed])))

    def selectors(self) -> Iterator[Selector]:
        """The selectors in use; of a group with lists the first combination."""
        return iter(dict.fromkeys(one for group in self.all() for one in selectors_of(group.selector)[:1]))

    def overlaps(self) -> list[Overlap]:
        """The groups that have selectors in common."""
        shared = [ids for ids in self._ids.values() if isinstance(ids, set)]
        held: dict[Selector, set[str]] = {}
        for group in filter(None, map(self.group, dict.fromkeys(one for ids in shared for one in ids))):
            for selector in selectors_of(group.selector):
                held.setdefault(selector, set()).add(group.id)
        return overlaps_among(held.items())

    def _with(self, selector: Selector) -> list[Group]:
        """The groups with that selector, the smaller ids first; others may have its hash."""
        ids = sorted(_each(self._ids.get(_hash(selector), ())), key=sort_key)
        return [group for group in filter(None, map(self.group, ids)) if stands_for(group.selector, selector)]


def _each(ids: str | Collection[str]) -> Collection[str]:
    return (ids,) if isinstance(ids, str) else ids


def _hash(selector: Selector) -> int:
    # Python's own hash of a string differs from process to process.
    code = 0
    for key, value in selector.pairs:
        code = crc32(f"{key}={value},".encode("utf-8", "surrogatepass"), code)
    return code


def _packed(group: Group) -> bytes:
    """The group as a line of JSON."""
    return f"{json.dumps(group, separators=(',', ':'))}\n".encode()


def _unpacked(packed: bytes) -> Group:
    fields: list[Any] = json.loads(packed.decode())
    group_id, name, profile, selector, metadata, policy = fields
    selector = {key: one if isinstance(one, str) else tuple(one) for key, one in selector.items()}
    if policy is not None:
        policy = Policy._make(tuple(one) if isinstance(one, list) else one for one in policy)
    return Group(group_id, name, profile, selector, metadata, policy)
