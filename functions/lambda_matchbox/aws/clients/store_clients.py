"""A table and a bucket, with the boto3 clients that write to them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import ObjectTypeDef


class StoreClients(NamedTuple):
    """The names of table and bucket, and a boto3 client for each; for any number of threads."""

    dynamodb: "DynamoDBClient"
    s3: "S3Client"
    table: str
    bucket: str

    def objects(self, prefix: str) -> Iterator["ObjectTypeDef"]:
        """The bucket's objects whose keys start with `prefix`, as S3 lists them."""
        for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
            yield from page.get("Contents", ())

    def body(self, key: str) -> bytes:
        """The bytes of an object. Raises LookupError if it is absent."""
        try:
            return self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except self.s3.exceptions.NoSuchKey as error:
            raise LookupError(f"the bucket lacks {key!r}") from error
