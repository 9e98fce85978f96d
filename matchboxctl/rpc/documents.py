"""What the services need of a place where groups, profiles and templates are kept."""

from collections.abc import Mapping
from typing import Protocol

from matchbox.groups import Group
from matchbox.profiles import Profile


class Documents(Protocol):
    """Groups, profiles and templates, to be read and written, for any number of threads.

    Every method raises StoreUnavailableError or AWSError where the store does not answer or refuses, UnwritableError
    for what it cannot hold, and OSError's text as a RefusedError.
    """

    @property
    def root(self) -> str:
        """The data directory that messages name."""

    def group(self, group_id: str) -> Group | None:
        """The group of that id. Raises DocumentError, and InvalidMACError for a selector that is no address."""

    def groups(self) -> list[Group]:
        """All groups that can be read, in no order."""

    def put_group(self, group: Group) -> None:
        """Add the group, or replace the one of that id; its selector's addresses are as they were sent."""

    def delete_group(self, group_id: str) -> bool:
        """Take the group out; False where it is not there."""

    def profile(self, profile_id: str) -> Profile | None:
        """The profile of that id. Raises DocumentError."""

    def profiles(self) -> list[Profile]:
        """All profiles that can be read, in no order."""

    def put_profile(self, profile: Profile) -> None:
        """Add the profile, or replace the one of that id."""

    def delete_profile(self, profile_id: str) -> bool:
        """Take the profile out; False where it is not there."""

    def template(self, kind: str, name: str) -> bytes | None:
        """The template of that kind and name."""

    def put_template(self, kind: str, name: str, body: bytes) -> None:
        """Add the template, or replace the one of that kind and name."""

    def delete_template(self, kind: str, name: str) -> bool:
        """Take the template out; False where it is not there."""

    def group_for(self, labels: Mapping[str, str] | None) -> Group | None:
        """The group that a machine with these labels is given; None is no machine at all."""

    def end(self) -> None:
        """Let no call wait any longer for a store that is away."""
