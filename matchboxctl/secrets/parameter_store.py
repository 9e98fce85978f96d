"""Secrets in AWS: SecureString parameters of Systems Manager below a prefix, and those of Secrets Manager to read."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from lambda_matchbox.aws.clients.boto3_errors import translated
from lambda_matchbox.aws.clients.errors import AWSError
from lambda_matchbox.aws.secrets import SecretSettings, StackSecrets
from lambda_matchbox.secrets.references import SECRETS_MANAGER
from matchboxctl.cli.errors import FailedError
from matchboxctl.secrets.stores import Change, SecretInfo
from matchboxctl.store.aws_errors import with_advice

if TYPE_CHECKING:
    from types_boto3_ssm import SSMClient
    from types_boto3_ssm.type_defs import ParameterMetadataTypeDef, PutParameterRequestTypeDef

STANDARD_SIZE, ADVANCED_SIZE = 4096, 8192
"""The most bytes of a value in the two tiers."""

# AWS Systems Manager pricing, as of October 2025.
ADVANCED_COST = "0.05 USD a month for each, and 0.05 USD for 10,000 reads of it"
_DENIED = ("AccessDeniedException", "AccessDenied")
_INVALID = "ValidationException"
_ENCRYPTED: Final = "SecureString"
# AWS reads it as a reference to another parameter.
_NESTED = "{{"
_ABSENT = ("ParameterNotFound", "ResourceNotFoundException")


class ParameterStore:
    """The parameters of a stack (see `matchboxctl.secrets.stores.SecretWriter`), whose values `reader` reads.

    `key` is the KMS key of those that are set; without one they keep theirs, and new ones have the account's default.
    `warn` gets a line for what costs.
    """

    def __init__(
        self,
        ssm: "SSMClient",
        reader: StackSecrets,
        settings: SecretSettings,
        key: str,
        warn: Callable[[str], None],
    ) -> None:
        self._ssm = ssm
        self._reader = reader
        self._prefix = f"{settings.prefix}/"
        self._key = key
        self._arns = {SECRETS_MANAGER + name: arn for name, arn in (settings.arns or {}).items()}
        self._warn = warn

    def check(self, name: str, value: str) -> None:
        """What Parameter Store takes."""
        if name.startswith(SECRETS_MANAGER):
            raise FailedError(f"{name!r} is in Secrets Manager: set it with `aws secretsmanager put-secret-value`")
        size = len(value.encode())
        if size > ADVANCED_SIZE:
            raise FailedError(
                f"secret {name!r} has {size:,} bytes, and Parameter Store takes {ADVANCED_SIZE:,}: split it into "
                f"several secrets, or put it into Secrets Manager and name it '{SECRETS_MANAGER}NAME'"
            )
        if _NESTED in value:
            raise FailedError(
                f"the value of secret {name!r} has '{_NESTED}', which Parameter Store refuses: store its base64, and "
                f'use {{{{secret "{name}" | b64dec}}}} in templates'
            )

    def set(self, name: str, value: str) -> Change:
        """Write the parameter: in the standard tier if it fits and is not in the advanced one already."""
        self.check(name, value)
        size = len(value.encode())
        known = self._metadata(name)
        if known is not None and known.get("Type") != _ENCRYPTED:
            raise FailedError(
                f"parameter {self.place(name)} is not encrypted, which cannot be changed: delete it with "
                f"`matchboxctl secret delete {name}`, and set it again"
            )
        key = self._key or (known or {}).get("KeyId", "")
        if known is not None and known.get("KeyId", "") == key and self._current(name) == value:
            return Change.UNCHANGED
        is_advanced = size > STANDARD_SIZE
        if is_advanced:
            self._warn(f"warning: secret {name!r} has {size:,} bytes, and is in the advanced tier: {ADVANCED_COST}")
        # AWS takes no parameter back from the advanced tier.
        was_advanced = known is not None and known.get("Tier") == "Advanced"
        request: PutParameterRequestTypeDef = {
            "Name": self.place(name),
            "Value": value,
            "Type": _ENCRYPTED,
            "Overwrite": True,
            "Tier": "Advanced" if is_advanced or was_advanced else "Standard",
        }
        if key:
            request["KeyId"] = key
        try:
            with translated():
                self._ssm.put_parameter(**request)
        except AWSError as error:
            reason = f"{_INVALID}, whose message may quote the value" if error.code == _INVALID else with_advice(error)
            raise FailedError(f"secret {name!r} was not set: {reason}") from None
        return Change.CREATED if known is None else Change.CHANGED

    def names(self) -> Sequence[SecretInfo]:
        """The parameters below the prefix, and the secrets of Secrets Manager that the stack names."""
        with translated():
            pages = self._ssm.get_paginator("describe_parameters").paginate(
                ParameterFilters=[{"Key": "Path", "Option": "Recursive", "Values": [self._prefix.rstrip("/")]}]
            )
            found = [self._info(one) for page in pages for one in page["Parameters"]]
        return sorted([*found, *map(_managed, self._arns)])

    def describe(self, name: str) -> SecretInfo | None:
        """The parameter's metadata."""
        if name.startswith(SECRETS_MANAGER):
            return _managed(name) if name in self._arns else None
        known = self._metadata(name)
        return None if known is None else self._info(known)

    def delete(self, name: str) -> bool:
        """Delete the parameter."""
        if name.startswith(SECRETS_MANAGER):
            raise FailedError(f"{name!r} is in Secrets Manager: delete it with `aws secretsmanager delete-secret`")
        try:
            with translated():
                self._ssm.delete_parameter(Name=self.place(name))
        except AWSError as error:
            if error.code not in _ABSENT:
                raise
            return False
        return True

    def values(self, names: Collection[str]) -> Mapping[str, str]:
        """Read and decrypt them, as the server does."""
        return self._reader.values(names)

    def place(self, name: str) -> str:
        """The parameter's name, or the ARN of Secrets Manager's."""
        return self._arns.get(name) or self._prefix + name

    def _current(self, name: str) -> str | None:
        """The value; None for who may only write."""
        try:
            return self.values([name]).get(name)
        except AWSError as error:
            if error.code in _DENIED:
                return None
            raise

    def _metadata(self, name: str) -> "ParameterMetadataTypeDef | None":
        with translated():
            found = self._ssm.describe_parameters(
                ParameterFilters=[{"Key": "Name", "Option": "Equals", "Values": [self.place(name)]}]
            )["Parameters"]
        return found[0] if found else None

    def _info(self, found: "ParameterMetadataTypeDef") -> SecretInfo:
        changed = int(found["LastModifiedDate"].timestamp())
        is_encrypted = found.get("Type") == _ENCRYPTED
        tier = found.get("Tier", "Standard").lower() if is_encrypted else "not encrypted"
        return SecretInfo(found["Name"].removeprefix(self._prefix), None, changed, tier, found.get("KeyId", ""))


def _managed(name: str) -> SecretInfo:
    return SecretInfo(name, None, None, "Secrets Manager")
