"""The machine that sent a request: its query, and the group and profile that were selected for it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from lambda_matchbox.answers.template_data import data_of
from lambda_matchbox.assets.release_addresses import pinned
from lambda_matchbox.catalog.labels import CLIENT_IP, Query
from lambda_matchbox.catalog.profiles import NetBoot, Profile, UnsafeBootError
from lambda_matchbox.catalog.stores import Catalog, Selection
from lambda_matchbox.catalog.templates import Template
from lambda_matchbox.errors import DocumentError, NotFoundError
from lambda_matchbox.machines.identities import AmbiguousMachineError, Identities, identities_in
from lambda_matchbox.secrets.function import MadeFunction, refused

if TYPE_CHECKING:
    from lambda_matchbox.machines.tokens import Token, TokenError


class Machine(NamedTuple):
    """A machine's query, and what was selected for it.

    `address` is that of its connection, `token` its token, not verified, or what is wrong with it. If its group has a
    boot policy, `named` are the identities in its query, None if it names two MAC addresses, and `identities` those and
    its token's, by which its states were looked up. `variables` are those that its boot script sets. `secrets` makes
    the templates' function, for a machine whose token the gate has checked.
    """

    query: Query
    selection: Selection
    address: str
    token: "Token | TokenError | None" = None
    named: Identities | None = None
    identities: tuple[str, ...] = ()
    variables: Mapping[str, str] = MappingProxyType({})
    secrets: MadeFunction = refused

    def with_variables(self, variables: Mapping[str, str]) -> "Machine":
        """The machine whose boot script sets these."""
        # Each boot does this, and _replace takes four times as long.
        return Machine(self.query, self.selection, self.address, self.token, self.named, self.identities, variables)

    def with_secrets(self, secrets: MadeFunction) -> "Machine":
        """The machine whose templates get these."""
        return Machine._make((*self[:-1], secrets))

    @property
    def has_token(self) -> bool:
        """Whether its query has a token of this server's form, good or not."""
        return self.token is not None and not isinstance(self.token, Exception)

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
        profile = self.profile
        if profile.boot is None:
            raise NotFoundError(f"profile {profile.id!r} has no boot section")
        try:
            # An item of the table may be older than the rule.
            profile.boot.check()
        except UnsafeBootError as error:
            raise DocumentError(f"profile {profile.id!r}: {error}") from error
        return pinned(profile.boot, self.selection.pointers)

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


def select(catalog: Catalog, query: Query, client_address: str) -> Machine:
    """The machine with the query's labels, at that address. Raises NotFoundError if no group matches."""
    token = _token_in(query.labels)
    carried = None if token is None or isinstance(token, Exception) else token.machine
    labels = dict(query.labels)
    if carried is not None:
        # A token says which machine it is where the query does not.
        labels = {name: value for name, value in carried._asdict().items() if value} | labels
    # The server's word, whatever the query says.
    labels[CLIENT_IP] = client_address
    looked_up: list[tuple[Identities | None, tuple[str, ...]]] = []

    def identities() -> tuple[str, ...]:
        if not looked_up:
            named = _named_in(query.labels)
            keys = named.keys if named else ()
            looked_up.append((named, keys if carried is None else tuple(dict.fromkeys((*carried.keys, *keys)))))
        return looked_up[0][1]

    selection = catalog.select(labels, identities)
    if carried is not None and (selection is None or selection.group.boot is None or not selection.group.boot.token):
        # Nobody verifies the token.
        selection = catalog.select({**query.labels, CLIENT_IP: client_address}, identities)
    if selection is None:
        raise NotFoundError("no group matches these labels")
    if selection.group.boot is None:
        return Machine(query, selection, client_address, token)
    keys = identities()
    return Machine(query, selection, client_address, token, looked_up[0][0], keys)


def _named_in(labels: Mapping[str, str]) -> Identities | None:
    """The identities in a query; None if it names two MAC addresses."""
    try:
        return identities_in(labels)
    except AmbiguousMachineError:
        return None


def _token_in(labels: Mapping[str, str]) -> "Token | TokenError | None":
    if not (text := labels.get("token")):
        return None
    # Most requests have none.
    from lambda_matchbox.machines.tokens import TokenError, read_token

    try:
        return read_token(text)
    except TokenError as error:
        return error
