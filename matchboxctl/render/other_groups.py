"""Why is a machine not in another group? The groups by how near they come to its labels."""

import heapq
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.selection import matches, sort_key


class OtherGroup(NamedTuple):
    """A group that was not chosen: what of its selectors the machine lacks, and why it lost if it lacks nothing."""

    id: str
    lacks: Mapping[str, object]
    lost_by: str


class OtherGroups(NamedTuple):
    """The nearest of them, and how many more there are."""

    nearest: list[OtherGroup]
    left_out: int


def other_groups(groups: Iterable[Group], chosen: Group | None, labels: Mapping[str, str], most: int) -> OtherGroups:
    """The groups but the chosen one: first those that lack least, of those the ones with the most selectors."""
    count = 0

    def others() -> Iterable[tuple[int, int, bytes, Group]]:
        nonlocal count
        for group in groups:
            if chosen is None or group.id != chosen.id:
                count += 1
                yield len(lacking(group, labels)), -len(group.selector), sort_key(group.id), group

    nearest = heapq.nsmallest(most, others(), key=lambda one: one[:3])
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
