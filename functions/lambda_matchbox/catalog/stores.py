"""The catalog's protocol and the result of a selection."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, Protocol, TypeAlias

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.machines.state import MachineState
from lambda_matchbox.releases.pointers import Pointers

Identities: TypeAlias = Callable[[], Sequence[str]]


class Selection(NamedTuple):
    """The group that a machine belongs to, and its profile; None if the profile that the group names is absent.

    `pointers` are those of the moment of the selection, `machines` the states under the machine's identities, if the
    group has a boot policy.
    """

    group: Group
    profile: Profile | None
    pointers: Pointers = MappingProxyType({})
    machines: tuple[MachineState, ...] = ()


class Catalog(Protocol):
    """Groups, profiles and templates. Every method raises StoreUnavailableError when it cannot answer just now."""

    def select(self, labels: Mapping[str, str] | None, identities: Identities = tuple) -> Selection | None:
        """The selection for these labels, or None where no group matches. None for labels means no machine.

        `identities` returns the keys of `machines.identities.Identities` whose states are read for a boot policy.
        """

    def all_groups(self, labels: Mapping[str, str] | None = None) -> Iterator[Group]:
        """All groups, those that match these labels first; each is read when it is taken, and may lack metadata."""

    def group(self, group_id: str) -> Group | None:
        """The group with that id, or None."""

    def profile(self, profile_id: str) -> Profile | None:
        """The profile of that id."""

    def template(self, kind: str, template_id: str) -> bytes | None:
        """The template of that id; `kind` is ignition, cloud or generic."""
