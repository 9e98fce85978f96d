"""A catalog in memory, which the contract suites compare with the other stores."""

from collections.abc import Callable, Iterable, Mapping

from lambda_matchbox.catalog.group_index import GroupIndex
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.catalog.stores import Selection
from lambda_matchbox.releases.pointers import Pointers


class MemoryCatalog:
    """Groups, profiles and templates in memory, with the pointers of `pointers`."""

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
