"""The groups that a machine is not in, by how few of their selectors it lacks."""

import heapq
from collections.abc import Callable, Mapping
from itertools import islice
from typing import NamedTuple

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.selection import matches, sort_key
from lambda_matchbox.catalog.stores import Catalog

MOST_LOOKED_AT = 2000
"""Of the groups that do not match, and of those that match."""


class OtherGroup(NamedTuple):
    """A group that was not selected: the selectors that the machine lacks, and why it lost if it lacks none."""

    id: str
    lacks: Mapping[str, object]
    lost_by: str


class OtherGroups(NamedTuple):
    """The nearest groups of those that were looked at, the number of the others, and whether these are all."""

    nearest: list[OtherGroup]
    left_out: int
    is_all: bool = True

    @property
    def rest(self) -> str:
        """A line on those that are not among the nearest, or nothing."""
        if not self.is_all:
            return f"and others: {MOST_LOOKED_AT:,} groups were looked at, those that match first"
        return f"and {self.left_out:,} more" if self.left_out else ""


def other_groups(catalog: Catalog, chosen: Group | None, labels: Mapping[str, str], limit: int) -> OtherGroups:
    """The groups but `chosen`: those that lack the fewest selectors first, then those with the most selectors.

    Of many groups it looks at all that match, as the catalog has them first, and at some of the others.
    """
    groups = catalog.all_groups(labels)
    others = [group for group in islice(groups, MOST_LOOKED_AT) if chosen is None or group.id != chosen.id]
    nearest = heapq.nsmallest(limit, others, key=lambda group: _distance(group, labels))
    found = [OtherGroup(group.id, lacking(group, labels), _lost_by(group, chosen)) for group in nearest]
    return OtherGroups(found, len(others) - len(found), next(groups, None) is None)


def _distance(group: Group, labels: Mapping[str, str]) -> tuple[int, int, bytes]:
    return len(lacking(group, labels)), -len(group.selector), sort_key(group.id)


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


def reason(
    other: OtherGroup,
    labels: Mapping[str, str],
    pairs: Callable[[Mapping[str, object]], str],
    value: Callable[[str, object], str],
) -> str:
    """Why the machine with these labels is not in it; `pairs` and `value` show selectors and a label's value."""
    if not other.lacks:
        return f"it matches too, but {other.lost_by}"
    missing = []
    for key, selected in other.lacks.items():
        label = labels.get(key)
        machine = "has no such label" if label is None else f"has {value(key, label)}"
        missing.append(f"{pairs({key: selected})} (the machine {machine})")
    return f"it selects {', '.join(missing)}"
