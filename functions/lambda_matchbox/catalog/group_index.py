"""Groups in memory, indexed by their selectors."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.overlaps import Overlap, overlaps_among
from lambda_matchbox.catalog.selection import Selector, Shape, candidates, greatest, keys_of, selectors_of, sort_key


class GroupIndex:
    """Groups by their selectors; a lookup takes one step for each selector shape."""

    def __init__(self, groups: Iterable[Group] = ()) -> None:
        self._groups: dict[str, Group] = {}
        self._by_selector: dict[Selector, set[str]] = {}
        self._shapes: Counter[Shape] = Counter()
        for group in groups:
            self.put(group)

    def __len__(self) -> int:
        return len(self._groups)

    def put(self, group: Group) -> None:
        """Add the group, or replace the one with its id."""
        self.discard(group.id)
        self._groups[group.id] = group
        for selector in selectors_of(group.selector):
            self._by_selector.setdefault(selector, set()).add(group.id)
        self._shapes[keys_of(group.selector)] += 1

    def discard(self, group_id: str) -> None:
        """Remove the group if it exists."""
        group = self._groups.pop(group_id, None)
        if group is None:
            return
        for selector in selectors_of(group.selector):
            ids = self._by_selector[selector]
            ids.discard(group_id)
            if not ids:
                del self._by_selector[selector]
        shape = keys_of(group.selector)
        self._shapes[shape] -= 1
        if not self._shapes[shape]:
            del self._shapes[shape]

    def group(self, group_id: str) -> Group | None:
        """The group with that id, or None."""
        return self._groups.get(group_id)

    def select(self, labels: Mapping[str, str] | None) -> Group | None:
        """The group for these labels by the rule of `catalog.selection`, or None."""
        found = [candidate for candidate in candidates(labels, self._shapes) if candidate in self._by_selector]
        if not found:
            return None
        return self._groups[min(self._by_selector[greatest(found)], key=sort_key)]

    def selectors(self) -> Iterator[Selector]:
        """The selectors in use; of a group with lists the first combination."""
        return iter(dict.fromkeys(one for group in self._groups.values() for one in selectors_of(group.selector)[:1]))

    def overlaps(self) -> list[Overlap]:
        """The groups that have selectors in common."""
        return overlaps_among(self._by_selector.items())
