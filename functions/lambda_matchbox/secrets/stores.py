"""The protocol of stores of secrets."""

from collections.abc import Collection, Mapping
from typing import Protocol

from lambda_matchbox.errors import MatchboxError


class UnsafeSecretError(MatchboxError):
    """A secret that is not used, as others could read it or because it is not text: which, why, and what to do."""


class SecretStore(Protocol):
    """Secrets by their names."""

    def values(self, names: Collection[str]) -> Mapping[str, str]:
        """The values of these secrets, without those that do not exist.

        Raises StoreUnavailableError when the store cannot answer just now, UnsafeSecretError, or AWSError for a
        refusal.
        """


class _NoSecrets:
    def values(self, names: Collection[str]) -> Mapping[str, str]:  # noqa: ARG002 (the protocol's)
        return {}


NO_SECRETS: SecretStore = _NoSecrets()
"""A store without any."""
