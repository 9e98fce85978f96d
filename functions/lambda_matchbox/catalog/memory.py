"""The catalogue in memory: what the directory mode serves from, and what tests hold the others against."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.overlaps import Rivals, rivals_among
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.catalog.selection import Selector, Shape, candidates, keys_of, octets, selectors_of
from lambda_matchbox.catalog.stores import Selection
from lambda_matchbox.releases.pointers import Pointers


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
        self._groups[group.id] = group
        for selector in selectors_of(group.selector):
            self._by_selector.setdefault(selector, set()).add(group.id)
        self._shapes[keys_of(group.selector)] += 1

    def discard(self, group_id: str) -> None:
        """Take the group out, if it is there."""
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

    def select(self, labels: Mapping[str, str] | None) -> Group | None:
        """The group for these labels by the rule of `catalog.selection`, or None."""
        found = [candidate for candidate in candidates(labels, self._shapes) if candidate in self._by_selector]
        if not found:
            return None
        best = max(found, key=lambda selector: selector.rank)
        return self._groups[min(self._by_selector[best], key=octets)]

    def selectors(self) -> Iterator[Selector]:
        """The selectors in use, of groups with lists the first of each."""
        return iter(dict.fromkeys(one for group in self._groups.values() for one in selectors_of(group.selector)[:1]))

    def rivals(self) -> list[Rivals]:
        """The groups that ask for the same machines."""
        return rivals_among(self._by_selector.items())


class MemoryCatalog:
    """Groups, profiles and templates in memory (see `catalog.stores.Catalog`).

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
