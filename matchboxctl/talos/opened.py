"""The stores of `matchboxctl talos`, over a data directory or table and bucket."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from matchboxctl.cli.tables import shown
from matchboxctl.cli.wrapping import wrapped
from matchboxctl.documents.protocol import Documents
from matchboxctl.resources.command import target_of
from matchboxctl.secrets.opened_secrets import opened_secrets
from matchboxctl.secrets.stores import SecretWriter
from matchboxctl.store.mode import StoreSettings
from matchboxctl.talos.cluster import role_id
from matchboxctl.talos.node_values import ROLES


def warn(line: str) -> None:
    """Print a line of what is left out or costs."""
    print(wrapped(f"matchboxctl: {shown(line)}", sys.stderr), file=sys.stderr)


class Opened(NamedTuple):
    """The documents and the secrets."""

    documents: Documents
    secrets: SecretWriter

    def clusters(self) -> list[str]:
        """The clusters that have a profile of a role."""
        ends = [role_id("", role) for role in ROLES]
        ids = self.documents.names("profiles")
        return sorted({one.removesuffix(end) for one in ids for end in ends if one.endswith(end)})


@contextmanager
def opened(store: StoreSettings | Path) -> Iterator[Opened]:
    """The stores. Raises UsageError."""
    documents = target_of("group", store).documents
    with opened_secrets(store, warn) as secrets:
        yield Opened(documents, secrets)
