"""Creation of the tables and the bucket without a stack."""

import re
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from lambda_matchbox.aws import history
from lambda_matchbox.aws.keys import KEY, RESPONSES_PREFIX

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_s3 import S3Client


_TABLE_ARN = re.compile(r"arn:aws[^:]*:dynamodb:[^:]*:([0-9]{12}):table/.*")
_NO_ACCOUNT = "000000000000"
# Error codes of S3 servers without lifecycles.
_NO_LIFECYCLES = ("NotImplemented", "MethodNotAllowed", "InvalidRequest", "MalformedXML")


def create_table(client: "DynamoDBClient", name: str) -> bool:
    """Create the table and wait until it is active; False if it exists or is being created."""
    attributes: Any = [{"AttributeName": KEY, "AttributeType": "S"}]
    return _create_table(client, name, KeySchema=_key_schema(KEY), AttributeDefinitions=attributes)


def create_history_table(client: "DynamoDBClient", name: str) -> bool:
    """Create the table of the history, as `create_table` does, with the expiry of its items."""
    names = (history.KEY, history.SORT_KEY, history.PLACE, *history.INDEXES)
    created = _create_table(
        client,
        name,
        KeySchema=_key_schema(history.KEY, history.SORT_KEY),
        AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in names],
        GlobalSecondaryIndexes=[
            {"IndexName": each, "KeySchema": _key_schema(each, history.PLACE), "Projection": {"ProjectionType": "ALL"}}
            for each in history.INDEXES
        ],
    )
    if created:
        expiry: Any = {"Enabled": True, "AttributeName": history.EXPIRES}
        client.update_time_to_live(TableName=name, TimeToLiveSpecification=expiry)
    return created


def _create_table(client: "DynamoDBClient", name: str, **definition: Any) -> bool:
    created = True
    try:
        client.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **definition)
    except client.exceptions.ResourceInUseException:
        created = False
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
    return created


def account_of(client: "DynamoDBClient", table: str) -> str | None:
    """The id of the account that has the table; None on servers without accounts, such as DynamoDB Local."""
    found = _TABLE_ARN.fullmatch(client.describe_table(TableName=table)["Table"].get("TableArn", ""))
    return None if found is None or found[1] == _NO_ACCOUNT else found[1]


def create_bucket(client: "S3Client", name: str, region: str, owner: str | None = None) -> bool:
    """Create the bucket; False if it exists. S3 answers 403 if it is not the account `owner`'s."""
    try:
        client.head_bucket(Bucket=name, **_owned_by(owner))
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("404", "NoSuchBucket"):
            raise
    else:
        return False
    # The first region must not be named (S3's API reference, CreateBucket).
    location: Any = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    client.create_bucket(Bucket=name, **location)
    return True


def expire_responses(client: "S3Client", bucket: str, owner: str | None = None) -> str | None:
    """Have the bucket delete long responses and the parts of unfinished uploads after a day.

    Other lifecycle rules stay. Returns the error code of a service without lifecycles, None otherwise.
    """
    ours: Any = {
        "ID": "matchbox-answers",
        "Status": "Enabled",
        "Filter": {"Prefix": RESPONSES_PREFIX},
        "Expiration": {"Days": 1},
    }
    uploads: Any = {
        "ID": "matchbox-unfinished-uploads",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
    }
    try:
        try:
            rules: Any = client.get_bucket_lifecycle_configuration(Bucket=bucket, **_owned_by(owner)).get("Rules", [])
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchLifecycleConfiguration":
                raise
            rules = []
        rules = [rule for rule in rules if rule.get("ID") not in (ours["ID"], uploads["ID"])]
        client.put_bucket_lifecycle_configuration(
            Bucket=bucket, LifecycleConfiguration={"Rules": [*rules, ours, uploads]}, **_owned_by(owner)
        )
    except ClientError as error:
        if error.response["Error"]["Code"] not in _NO_LIFECYCLES:
            raise
        return error.response["Error"]["Code"]
    return None


def _key_schema(key: str, sort_key: str | None = None) -> Any:
    schema = [{"AttributeName": key, "KeyType": "HASH"}]
    return schema if sort_key is None else [*schema, {"AttributeName": sort_key, "KeyType": "RANGE"}]


def _owned_by(owner: str | None) -> dict[str, Any]:
    return {} if owner is None else {"ExpectedBucketOwner": owner}
