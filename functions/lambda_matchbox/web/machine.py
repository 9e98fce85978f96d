"""The machine that sent a request: its query, and the group and profile that were selected for it."""

from typing import NamedTuple

from lambda_matchbox.answers.template_data import data_of
from lambda_matchbox.assets.release_addresses import pinned
from lambda_matchbox.catalog.labels import Query
from lambda_matchbox.catalog.profiles import NetBoot, Profile, UnsafeBootError
from lambda_matchbox.catalog.stores import Catalog, Selection
from lambda_matchbox.catalog.templates import Template
from lambda_matchbox.errors import DocumentError, NotFoundError


class Machine(NamedTuple):
    """A machine's query, and what was selected for it."""

    query: Query
    selection: Selection

    @property
    def profile(self) -> Profile:
        """The group's profile. Raises NotFoundError if it is absent."""
        group, profile = self.selection.group, self.selection.profile
        if profile is None:
            raise NotFoundError(f"group {group.id!r} names profile {group.profile!r}, which is absent")
        return profile

    @property
    def boot(self) -> NetBoot:
        """The profile's boot section, with current releases in its addresses. Raises NotFoundError, DocumentError."""
        if self.profile.boot is None:
            raise NotFoundError(f"profile {self.profile.id!r} has no boot section")
        try:
            # An item of the table may be older than the rule.
            self.profile.boot.check()
        except UnsafeBootError as error:
            raise DocumentError(f"profile {self.profile.id!r}: {error}") from error
        return pinned(self.profile.boot, self.selection.pointers)

    @property
    def data(self) -> dict[str, object]:
        """The data that templates see."""
        return data_of(self.selection, self.query.labels, self.query.raw)

    def template(self, kind: str, catalog: Catalog) -> Template:
        """The profile's template of this kind. Raises NotFoundError."""
        template_id: str = getattr(self.profile, f"{kind}_id")
        if not template_id:
            raise NotFoundError(f"profile {self.profile.id!r} has no {kind}_id")
        body = catalog.template(kind, template_id)
        if body is None:
            raise NotFoundError(f"profile {self.profile.id!r} names {kind} template {template_id!r}, which is absent")
        return Template(kind, template_id, body)


def select(catalog: Catalog, query: Query) -> Machine:
    """The machine with the query's labels. Raises NotFoundError if no group matches."""
    selection = catalog.select(query.labels)
    if selection is None:
        raise NotFoundError("no group matches these labels")
    return Machine(query, selection)
