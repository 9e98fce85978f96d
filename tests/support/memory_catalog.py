"""A catalog in memory, which the contract suites compare with the other stores."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from lambda_matchbox.catalog.group_index import GroupIndex
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.catalog.stores import Identities, Selection
from lambda_matchbox.machines.state import MachineState
from lambda_matchbox.releases.pointers import Pointers


class MemoryCatalog:
    """Groups, profiles and templates in memory, with the pointers of `pointers`."""

    def __init__(
        self,
        groups: Iterable[Group] = (),
        profiles: Iterable[Profile] = (),
        templates: Mapping[tuple[str, str], bytes] | None = None,
        pointers: Callable[[], Pointers] = dict,
        machines: Callable[[Sequence[str]], Sequence[MachineState]] = lambda _: (),
    ) -> None:
        self.groups = GroupIndex(groups)
        self.profiles = {profile.id: profile for profile in profiles}
        self.templates = dict(templates or {})
        self._pointers = pointers
        self._machines = machines

    def select(self, labels: Mapping[str, str] | None, identities: Identities = tuple) -> Selection | None:
        """The selection for these labels, or None where no group matches."""
        group = self.groups.select(labels)
        if group is None:
            return None
        states = () if group.boot is None else tuple(self._machines(identities()))
        return Selection(group, self.profile(group.profile), self._pointers(), states)

    def all_groups(self, labels: Mapping[str, str] | None = None) -> Iterator[Group]:
        """All groups, those that match these labels first."""
        return self.groups.all(labels)

    def group(self, group_id: str) -> Group | None:
        """The group of that id."""
        return self.groups.group(group_id)

    def profile(self, profile_id: str) -> Profile | None:
        """The profile of that id."""
        return self.profiles.get(profile_id)

    def template(self, kind: str, template_id: str) -> bytes | None:
        """The template of that kind and id."""
        return self.templates.get((kind, template_id))
