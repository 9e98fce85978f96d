"""The table and the bucket, where no stack makes them."""

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from lambda_matchbox.aws.layout import KEY, RESPONSES_PREFIX

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_s3 import S3Client


# Bodies of servers that are not AWS: they know no lifecycles at all.
_NO_LIFECYCLES = ("NotImplemented", "MethodNotAllowed", "InvalidRequest", "MalformedXML")


def create_table(client: "DynamoDBClient", name: str) -> bool:
    """Make the table, and wait until it can be used; False where it was there already, or is being made."""
    made = True
    try:
        client.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": KEY, "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": KEY, "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
    except client.exceptions.ResourceInUseException:
        made = False
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
    return made


def create_bucket(client: "S3Client", name: str, region: str) -> bool:
    """Make the bucket; False where it was the caller's already."""
    try:
        client.head_bucket(Bucket=name)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("404", "NoSuchBucket"):
            raise
    else:
        return False
    # The first region is the one that must not be named (S3's API reference, CreateBucket).
    where: Any = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    client.create_bucket(Bucket=name, **where)
    return True


def expire_answers(client: "S3Client", bucket: str) -> str | None:
    """Let the bucket forget long answers, and parts of uploads that were never finished, after a day.

    Other rules of its lifecycle stay. Returns why the service refuses, where it knows no lifecycles.
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
            rules: Any = client.get_bucket_lifecycle_configuration(Bucket=bucket).get("Rules", [])
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchLifecycleConfiguration":
                raise
            rules = []
        rules = [rule for rule in rules if rule.get("ID") not in (ours["ID"], uploads["ID"])]
        client.put_bucket_lifecycle_configuration(
            Bucket=bucket, LifecycleConfiguration={"Rules": [*rules, ours, uploads]}
        )
    except ClientError as error:
        if error.response["Error"]["Code"] not in _NO_LIFECYCLES:
            raise
        return error.response["Error"]["Code"]
    return None
