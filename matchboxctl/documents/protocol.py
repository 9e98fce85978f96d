"""What commands need of a place where groups, profiles and templates are kept."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile

Report = Callable[[str], None]
"""Is given one line for each document that is left out because it cannot be read."""


def nobody(_: str) -> None:
    """Take no notice of what cannot be read, as matchbox does."""


class TemplateSize(NamedTuple):
    """A template by its name, and how many bytes it has."""

    name: str
    size: int


class Documents(Protocol):
    """Groups, profiles and templates, to be read and written, for any number of threads.

    Every method raises StoreUnavailableError or AWSError where the store does not answer or refuses, UnwritableError
    for what it cannot hold, and FileError for what the operating system refuses.
    """

    @property
    def root(self) -> str:
        """The data directory that messages name."""

    def names(self, kind: str) -> list[str]:
        """The ids of `groups` or `profiles`, or the names of templates of that kind, in no order, unread."""

    def holds(self, kind: str, name: str) -> bool:
        """Whether there is one of that kind (see `names`), be it readable or not."""

    def group(self, group_id: str) -> Group | None:
        """The group of that id. Raises DocumentError, and InvalidMACError for a selector that is no address."""

    def groups(self, told: Report = nobody, *, metadata: bool = True) -> list[Group]:
        """All groups that can be read, in no order; without `metadata` these may be left out."""

    def put_group(self, group: Group) -> None:
        """Add the group, or replace the one of that id; its selector's addresses are as they were sent."""

    def delete_group(self, group_id: str) -> bool:
        """Take the group out; False where it is not there.

        Raises DocumentError where a table's item cannot be read, and so not say which entries it is in.
        """

    def profile(self, profile_id: str) -> Profile | None:
        """The profile of that id. Raises DocumentError."""

    def profiles(self, told: Report = nobody, *, metadata: bool = True) -> list[Profile]:
        """All profiles that can be read, in no order; without `metadata` these may be left out."""

    def put_profile(self, profile: Profile) -> None:
        """Add the profile, or replace the one of that id."""

    def delete_profile(self, profile_id: str) -> bool:
        """Take the profile out; False where it is not there."""

    def template(self, kind: str, name: str) -> bytes | None:
        """The template of that kind and name. Raises DocumentError for an item of a table that holds none."""

    def templates(self, kind: str, told: Report = nobody) -> list[TemplateSize]:
        """All templates of that kind, in no order."""

    def put_template(self, kind: str, name: str, body: bytes) -> None:
        """Add the template, or replace the one of that kind and name."""

    def delete_template(self, kind: str, name: str) -> bool:
        """Take the template out; False where it is not there."""
