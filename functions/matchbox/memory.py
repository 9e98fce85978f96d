"""The catalogue in memory: what the directory mode serves from, and what tests hold the others against."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from matchbox.groups import Group
from matchbox.profiles import Profile
from matchbox.releases import Pointers
from matchbox.selection import Selector, Shape, candidates, octets, selector_of
from matchbox.stores import Selection


class GroupIndex:
    """Groups, found by a machine's labels in a time that depends on the number of selector shapes alone."""

    def __init__(self, groups: Iterable[Group] = ()) -> None:
        self._groups: dict[str, Group] = {}
        self._by_selector: dict[Selector, set[str]] = {}
        self._shapes: Counter[Shape] = Counter()
        for group in groups:
            self.put(group)

    def __len__(self) -> int:
        return len(self._groups)

    def put(self, group: Group) -> None:
        """Add the group, or replace the one of that id."""
        self.discard(group.id)
        selector = selector_of(group.selector)
        self._groups[group.id] = group
        self._by_selector.setdefault(selector, set()).add(group.id)
        self._shapes[selector.shape] += 1

    def discard(self, group_id: str) -> None:
        """Take the group out, if it is there."""
        group = self._groups.pop(group_id, None)
        if group is None:
            return
        selector = selector_of(group.selector)
        ids = self._by_selector[selector]
        ids.discard(group_id)
        if not ids:
            del self._by_selector[selector]
        self._shapes[selector.shape] -= 1
        if not self._shapes[selector.shape]:
            del self._shapes[selector.shape]

    def select(self, labels: Mapping[str, str] | None) -> Group | None:
        """The group for these labels by the rule of `matchbox.selection`, or None."""
        found = [candidate for candidate in candidates(labels, self._shapes) if candidate in self._by_selector]
        if not found:
            return None
        best = max(found, key=lambda selector: selector.rank)
        return self._groups[min(self._by_selector[best], key=octets)]

    def selectors(self) -> Iterator[Selector]:
        """The selectors in use."""
        return iter(self._by_selector)

    def rivals(self) -> list[list[str]]:
        """The ids of groups that share their selectors, so that all but the first of each are never chosen."""
        return [sorted(ids, key=octets) for ids in self._by_selector.values() if len(ids) > 1]


class MemoryCatalog:
    """Groups, profiles and templates in memory (see `matchbox.stores.Catalog`).

    `pointers` says what is served of image sources.
    """

    def __init__(
        self,
        groups: Iterable[Group] = (),
        profiles: Iterable[Profile] = (),
        templates: Mapping[tuple[str, str], bytes] | None = None,
        pointers: Callable[[], Pointers] = dict,
    ) -> None:
        self.groups = GroupIndex(groups)
        self.profiles = {profile.id: profile for profile in profiles}
        self.templates = dict(templates or {})
        self._pointers = pointers

    def select(self, labels: Mapping[str, str] | None) -> Selection | None:
        """The selection for these labels, or None where no group matches."""
        group = self.groups.select(labels)
        return None if group is None else Selection(group, self.profile(group.profile), self._pointers())

    def profile(self, profile_id: str) -> Profile | None:
        """The profile of that id."""
        return self.profiles.get(profile_id)

    def template(self, kind: str, template_id: str) -> bytes | None:
        """The template of that kind and id."""
        return self.templates.get((kind, template_id))
