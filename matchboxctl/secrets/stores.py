"""The stores that commands keep secrets in, and what they tell of one without its value."""

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol


class Change(StrEnum):
    """What became of a secret that was set."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


class SecretInfo(NamedTuple):
    """A secret without its value.

    `size` is in bytes, `changed` in seconds since 1970; either is None where the store does not tell. `tier` is what
    holds it: a file, a tier of Parameter Store, or Secrets Manager. `key` is the KMS key, empty in a directory.
    """

    name: str
    size: int | None
    changed: int | None
    tier: str
    key: str = ""


class SecretWriter(Protocol):
    """The secrets of a data directory or a stack. The methods raise StoreUnavailableError, AWSError and OSError."""

    def check(self, name: str, value: str) -> None:
        """Raises CommandError for a name or value that cannot be stored, as far as that is known before."""

    def set(self, name: str, value: str) -> Change:
        """Create or replace one. Raises CommandError for a name or value that cannot be stored."""

    def names(self) -> Sequence[SecretInfo]:
        """All secrets, by name."""

    def describe(self, name: str) -> SecretInfo | None:
        """One secret; None if it does not exist."""

    def delete(self, name: str) -> bool:
        """Delete one; False if it does not exist. Raises CommandError."""

    def values(self, names: Collection[str]) -> Mapping[str, str]:
        """The values of these, without those that do not exist."""

    def place(self, name: str) -> str:
        """Where a secret lies, for an operator: its file or its parameter."""
