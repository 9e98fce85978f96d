"""Groups with the same or overlapping selectors, of which one is never chosen for some machines."""

from collections import Counter
from collections.abc import Collection, Iterable
from typing import NamedTuple

from lambda_matchbox.catalog.selection import Selector, greatest, sort_key

_MAX_SHOWN = 200
_MAX_NAMED = 5


class Overlap(NamedTuple):
    """The ids of groups, of which the first is chosen.

    `example` is a selector that they share, None if they share all.
    """

    ids: tuple[str, ...]
    example: Selector | None = None

    def __str__(self) -> str:
        """The overlap as a warning."""
        more = len(self.ids) - _MAX_NAMED
        ids = ", ".join(self.ids[:_MAX_NAMED]) + (f" and {more} more" if more > 0 else "")
        if self.example is None:
            return f"groups {ids} have the same selectors: {self.ids[0]} is chosen"
        shown = str(self.example)
        if len(shown) > _MAX_SHOWN:
            shown = f"{shown[:_MAX_SHOWN]}..."
        return f"groups {ids} both select {shown}: {self.ids[0]} is chosen for it"


def overlaps_among(holders: Iterable[tuple[Selector, Collection[str]]]) -> list[Overlap]:
    """The overlaps of groups; `holders` has the ids of the groups with each selector.

    Groups that share all selectors are one overlap, others one for each pair.
    """
    held = Counter[str]()
    shared: dict[tuple[str, str], list[Selector]] = {}
    for selector, ids in holders:
        held.update(ids)
        if len(ids) > 1:
            first, *others = sorted(ids, key=sort_key)
            for other in others:
                shared.setdefault((first, other), []).append(selector)
    same: dict[str, list[str]] = {}
    pairs: list[Overlap] = []
    for (first, other), selectors in shared.items():
        if len(selectors) == held[first] == held[other]:
            same.setdefault(first, []).append(other)
        else:
            pairs.append(Overlap((first, other), greatest(selectors)))
    return [*(Overlap((first, *others)) for first, others in same.items()), *pairs]
