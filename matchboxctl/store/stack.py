"""The tables and the bucket of a CloudFormation stack, by its outputs."""

from typing import TYPE_CHECKING

from lambda_matchbox.aws.clients.errors import AWSError
from lambda_matchbox.errors import StoreUnavailableError
from matchboxctl.cli.errors import FailedError, UsageError
from matchboxctl.store.aws_errors import with_advice
from matchboxctl.store.mode import DAYS

if TYPE_CHECKING:
    from boto3.session import Session
    from types_boto3_cloudformation.type_defs import StackTypeDef

TABLE, BUCKET, HISTORY_TABLE = "TableName", "BucketName", "HistoryTableName"
"""The outputs of template.yaml."""

_RETENTION = "HistoryRetention"


def tables_and_bucket(stack: str, session: "Session", region: str, endpoint: str | None) -> tuple[str, str, str, int]:
    """The names of table, bucket and history table, and the days of histories.

    The history table is empty for a stack of a release without histories.
    `endpoint` is that of CloudFormation, None on AWS. Raises UsageError and FailedError.
    """
    where = f"stack {stack} on {endpoint or f'AWS {region}'}"
    found = _described(stack, where, session, region, endpoint)
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
    given = {each["ParameterKey"]: each["ParameterValue"] for each in found.get("Parameters", [])}
    for name in (TABLE, BUCKET):
        if name not in outputs:
            has = ", ".join(sorted(outputs)) or "none"
            raise UsageError(f"{where} has no output {name} (it has {has}): name a complete stack of Lambda matchbox")
    return outputs[TABLE], outputs[BUCKET], outputs.get(HISTORY_TABLE, ""), int(given.get(_RETENTION, DAYS))


def _described(stack: str, where: str, session: "Session", region: str, endpoint: str | None) -> "StackTypeDef":
    from botocore.config import Config
    from botocore.exceptions import NoCredentialsError, PartialCredentialsError

    from lambda_matchbox.aws.clients.boto3_errors import translated

    # As the other clients, which take endpoints from the environment only, not from an AWS profile.
    config = Config(ignore_configured_endpoint_urls=endpoint is None)  # type: ignore[call-arg]
    try:
        with translated():
            client = session.client("cloudformation", region_name=region, endpoint_url=endpoint, config=config)
            (found,) = client.describe_stacks(StackName=stack)["Stacks"]
    except AWSError as error:
        if error.code == "ValidationError" and "does not exist" in str(error):
            raise UsageError(f"{where} does not exist: check the name, the region and the account") from error
        raise FailedError(f"{where}: {with_advice(error)}") from error
    except StoreUnavailableError as error:
        if isinstance(error.__cause__, (NoCredentialsError, PartialCredentialsError)):
            raise UsageError(str(error)) from error
        raise FailedError(f"{where}: {error}; run the same command again") from error
    return found
