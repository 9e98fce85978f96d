"""The tables, the bucket and the secrets of a CloudFormation stack, by its outputs."""

from typing import TYPE_CHECKING

from lambda_matchbox.aws.clients.errors import AWSError
from lambda_matchbox.errors import StoreUnavailableError
from matchboxctl.cli.errors import FailedError, UsageError
from matchboxctl.store.aws_errors import with_advice
from matchboxctl.store.mode import DAYS, StoreSettings

if TYPE_CHECKING:
    from types_boto3_cloudformation.type_defs import StackTypeDef

TABLE, BUCKET, HISTORY_TABLE, SECRETS = "TableName", "BucketName", "HistoryTableName", "SecretsPrefix"
"""The outputs of template.yaml."""

_RETENTION, _KEY, _MANAGED = "HistoryRetention", "SecretsKmsKeyArn", "SecretsManagerArns"
_DOOR, _PLAIN = "FrontDoor", "PlainConfigurations"
"""Parameters of template.yaml."""


def of_stack(settings: StoreSettings, endpoint: str | None) -> StoreSettings:
    """The settings with what the stack names: tables, bucket, secrets, the days of histories, and the door.

    What a stack of an earlier release does not have is empty. `endpoint` is that of CloudFormation, None on AWS. Raises
    UsageError and FailedError.
    """
    where = f"stack {settings.stack} on {endpoint or f'AWS {settings.region}'}"
    found = _described(settings, where, endpoint)
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
    given = {each["ParameterKey"]: each["ParameterValue"] for each in found.get("Parameters", [])}
    for name in (TABLE, BUCKET):
        if name not in outputs:
            has = ", ".join(sorted(outputs)) or "none"
            raise UsageError(f"{where} has no output {name} (it has {has}): name a complete stack of Lambda matchbox")
    return settings._replace(
        table=outputs[TABLE],
        bucket=outputs[BUCKET],
        history_table=outputs.get(HISTORY_TABLE, ""),
        history_days=int(given.get(_RETENTION, DAYS)),
        secrets=outputs.get(SECRETS, ""),
        secrets_key=given.get(_KEY, ""),
        secrets_manager=given.get(_MANAGED, "").replace(" ", ""),
        release_copies=given.get(_DOOR) == "cloudfront",
        plain_configurations=given.get(_PLAIN) == "yes",
    )


def _described(settings: StoreSettings, where: str, endpoint: str | None) -> "StackTypeDef":
    from botocore.config import Config
    from botocore.exceptions import NoCredentialsError, PartialCredentialsError

    from lambda_matchbox.aws.clients.boto3_errors import translated

    # As the other clients, which take endpoints from the environment only, not from an AWS profile.
    config = Config(ignore_configured_endpoint_urls=endpoint is None)  # type: ignore[call-arg]
    try:
        with translated():
            client = settings.session.client(
                "cloudformation", region_name=settings.region, endpoint_url=endpoint, config=config
            )
            (found,) = client.describe_stacks(StackName=settings.stack)["Stacks"]
    except AWSError as error:
        if error.code == "ValidationError" and "does not exist" in str(error):
            raise UsageError(f"{where} does not exist: check the name, the region and the account") from error
        raise FailedError(f"{where}: {with_advice(error)}") from error
    except StoreUnavailableError as error:
        if isinstance(error.__cause__, (NoCredentialsError, PartialCredentialsError)):
            raise UsageError(str(error)) from error
        raise FailedError(f"{where}: {with_advice(error)}") from error
    return found
