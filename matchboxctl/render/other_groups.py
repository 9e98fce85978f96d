"""The groups that a machine is not in, by how few of their selectors it lacks."""

import heapq
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.selection import matches, sort_key


class OtherGroup(NamedTuple):
    """A group that was not selected: the selectors that the machine lacks, and why it lost if it lacks none."""

    id: str
    lacks: Mapping[str, object]
    lost_by: str


class OtherGroups(NamedTuple):
    """The nearest groups, and the number of the others."""

    nearest: list[OtherGroup]
    left_out: int


def other_groups(groups: Iterable[Group], chosen: Group | None, labels: Mapping[str, str], limit: int) -> OtherGroups:
    """All groups but `chosen`: those that lack the fewest selectors first, then those with the most selectors."""
    count = 0

    def others() -> Iterable[tuple[int, int, bytes, Group]]:
        nonlocal count
        for group in groups:
            if chosen is None or group.id != chosen.id:
                count += 1
                yield len(lacking(group, labels)), -len(group.selector), sort_key(group.id), group

    nearest = heapq.nsmallest(limit, others(), key=lambda one: one[:3])
    found = [OtherGroup(group.id, lacking(group, labels), _lost_by(group, chosen)) for *_, group in nearest]
    return OtherGroups(found, count - len(found))


def lacking(group: Group, labels: Mapping[str, str]) -> dict[str, object]:
    """The group's selectors that the labels do not match."""
    return {
        key: value
        for key, value in group.selector.items()
        if not matches(group._replace(selector={key: value}), labels)
    }


def _lost_by(group: Group, chosen: Group | None) -> str:
    if chosen is None or len(group.selector) < len(chosen.selector):
        return "it has fewer selectors"
    if dict(group.selector) == dict(chosen.selector):
        return "it has the same selectors, and the smaller id wins"
    return "it has as many selectors, and the greater ones win"
