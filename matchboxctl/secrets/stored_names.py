"""The names of the secrets that exist, for checks before machines boot."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from lambda_matchbox.errors import MatchboxError
from lambda_matchbox.secrets.references import SECRETS_MANAGER
from matchboxctl.cli.errors import CommandError
from matchboxctl.directory.secrets import DirectorySecrets
from matchboxctl.secrets.opened_secrets import opened_secrets
from matchboxctl.store.mode import StoreSettings


class StoredSecrets(NamedTuple):
    """The names, None if they are not known for that reason; and why some are not used, a line for each."""

    names: Collection[str] | None
    reason: str = ""
    problems: Sequence[str] = ()

    def with_names(self, names: Collection[str]) -> "StoredSecrets":
        """The same with these, which are going to exist."""
        return self if self.names is None else self._replace(names={*self.names, *names})

    def absent(self, names: Collection[str]) -> list[str]:
        """A line for each of these that does not exist, or one that it is not known."""
        if self.names is None:
            return [f"whether secrets exist was not checked: {self.reason}"]
        return [_absent(name) for name in sorted({*names} - {*self.names})]


Stored = Callable[[], StoredSecrets]
"""Reads the names: only where a template names secrets, as an operator need not be allowed to list them."""


def stored_secrets(store: StoreSettings | Path) -> StoredSecrets:
    """The secrets of a data directory, or of table and bucket."""
    try:
        with opened_secrets(store, lambda _: None) as secrets:
            names = [secret.name for secret in secrets.names()]
    except (CommandError, MatchboxError, OSError) as error:
        return StoredSecrets(None, str(error))
    return StoredSecrets(names, problems=[*DirectorySecrets(store).problems()] if isinstance(store, Path) else [])


def _absent(name: str) -> str:
    where = "in Secrets Manager, no secret of that name is the stack's" if name.startswith(SECRETS_MANAGER) else ""
    return f"secret {name!r} does not exist{f': {where}' if where else ''}"
