"""A table and a bucket, with the boto3 clients that write to them."""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_s3 import S3Client


class StoreClients(NamedTuple):
    """The names of table and bucket, and a boto3 client for each; for any number of threads."""

    dynamodb: "DynamoDBClient"
    s3: "S3Client"
    table: str
    bucket: str
