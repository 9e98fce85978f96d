"""Secrets in Parameter Store below a prefix, and those in Secrets Manager that are named by their ARNs."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from lambda_matchbox.aws.clients.errors import AWSError
from lambda_matchbox.aws.clients.request_deadline import deadline_within
from lambda_matchbox.aws.clients.sigv4 import Credentials
from lambda_matchbox.secrets.references import SECRETS_MANAGER
from lambda_matchbox.secrets.stores import UnsafeSecretError

if TYPE_CHECKING:
    from lambda_matchbox.aws.clients.http_client import HttpClient

_DENIED = "AccessDeniedException"
# Secrets Manager adds a hyphen and six characters to a name.
_ARN = r"arn:[^:]+:secretsmanager:[^:]+:[0-9]{12}:secret:([^:]+)-[A-Za-z0-9]{6}"
# The second is for a secret that was deleted and may still be restored.
_ABSENT = frozenset({"ResourceNotFoundException", "InvalidRequestException"})


class SecretSettings(NamedTuple):
    """The prefix of parameters, empty for none, and ARNs in Secrets Manager by the names of their secrets.

    Without `arns`, every secret is asked for: a role allows those of the stack only. An endpoint is None on AWS.
    """

    prefix: str
    arns: Mapping[str, str] | None
    parameters_endpoint: str | None
    secrets_endpoint: str | None


def arns_by_name(text: str) -> dict[str, str] | None:
    """The ARNs, separated by commas, by the names of their secrets; None for `*`.

    Raises ValueError for one that is not a secret's full ARN.
    """
    if text == "*":
        return None
    found = {}
    for arn in filter(None, text.split(",")):
        if (parts := re.fullmatch(_ARN, arn)) is None:
            raise ValueError(f"{arn!r} is not the full ARN of a secret in Secrets Manager")
        found[parts[1]] = arn
    return found


class StackSecrets:
    """The store over a stack's parameters and secrets (see `secrets.stores.SecretStore`).

    What it takes for one rendering takes `call_timeout` seconds at most.
    """

    def __init__(
        self,
        settings: SecretSettings,
        region: str,
        credentials: Callable[[], Credentials],
        http: "HttpClient",
        *,
        call_timeout: float,
    ) -> None:
        self._settings = settings
        self._region = region
        self._credentials = credentials
        self._http = http
        self._call_timeout = call_timeout

    def values(self, names: Collection[str]) -> Mapping[str, str]:
        """The values of these secrets: one call for ten parameters, and one for each secret of Secrets Manager."""
        deadline = deadline_within(self._call_timeout)
        in_secrets_manager = {name for name in names if name.startswith(SECRETS_MANAGER)}
        found = self._values_of_parameters(sorted({*names} - in_secrets_manager), deadline)
        for name in sorted(in_secrets_manager):
            if (value := self._value_in_secrets_manager(name, deadline)) is not None:
                found[name] = value
        return found

    def _values_of_parameters(self, names: Sequence[str], deadline: float) -> dict[str, str]:
        if not names:
            return {}
        from lambda_matchbox.aws.clients.parameter_store import MAX_NAMES, ParameterStore

        beginning = f"{self._settings.prefix}/"
        if beginning == "/":
            raise UnsafeSecretError(f"secret {names[0]!r} is not looked for: MATCHBOX_SECRETS is not set")
        store = ParameterStore(self._settings.parameters_endpoint, self._region, self._credentials, self._http)
        found: dict[str, str] = {}
        for start in range(0, len(names), MAX_NAMES):
            asked = [beginning + name for name in names[start : start + MAX_NAMES]]
            with _explained(f"ssm:GetParameters below {beginning}, and kms:Decrypt on the key of their values"):
                found |= store.values(asked, deadline)
        return {name.removeprefix(beginning): value for name, value in found.items()}

    def _value_in_secrets_manager(self, name: str, deadline: float) -> str | None:
        own_name = name.removeprefix(SECRETS_MANAGER)
        secret = own_name if self._settings.arns is None else self._settings.arns.get(own_name)
        if secret is None:
            return None
        from lambda_matchbox.aws.clients.secrets_manager import SecretsManager

        store = SecretsManager(self._settings.secrets_endpoint, self._region, self._credentials, self._http)
        try:
            with _explained(f"secretsmanager:GetSecretValue on {secret}, and kms:Decrypt on its key"):
                text = store.text(secret, deadline)
        except AWSError as error:
            if error.code in _ABSENT:
                return None
            raise
        if not text:
            raise UnsafeSecretError(f"secret {name!r} is not text: store it as one, in base64 for example")
        return text


@contextmanager
def _explained(permissions: str) -> Iterator[None]:
    """Say which permissions the body takes, if one is lacking."""
    try:
        yield
    except AWSError as error:
        if error.code != _DENIED:
            raise
        raise AWSError(error.code, f"{error.message}; the server needs {permissions}", error.status) from error
