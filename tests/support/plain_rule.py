"""matchbox's selection rule over all groups, which the indexes are compared with."""

from collections.abc import Iterable, Mapping

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.selection import candidates, keys_of, matches, sort_key


def select(groups: Iterable[Group], labels: Mapping[str, str]) -> Group | None:
    """The group for these labels, or None."""
    best: Group | None = None
    for group in groups:
        if matches(group, labels) and (best is None or _wins(group, best, labels)):
            best = group
    return best


def _wins(group: Group, other: Group, labels: Mapping[str, str]) -> bool:
    # Of a list of values the one that the machine has counts.
    ((one,), (another,)) = (candidates(labels, [keys_of(either.selector)]) for either in (group, other))
    return one.rank > another.rank or (one.rank == another.rank and sort_key(group.id) < sort_key(other.id))
