"""A table and a bucket, with the light clients that read and write them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from lambda_matchbox.aws.clients.dynamodb import DynamoDB
from lambda_matchbox.aws.clients.dynamodb_json import Item
from lambda_matchbox.aws.clients.http_client import HttpClient
from lambda_matchbox.aws.clients.request_deadline import deadline_within
from lambda_matchbox.aws.clients.s3 import S3, ListedObject
from lambda_matchbox.aws.clients.sigv4 import Credentials
from lambda_matchbox.aws.keys import KEY
from lambda_matchbox.backoff import Backoff

# Who publishes releases waits longer than a machine does, and then says why.
_BACKOFF = Backoff(first=0.2, longest=5.0)
_ATTEMPTS = 8
_CONNECT_TIMEOUT = 10.0
_READ_TIMEOUT = 10.0
# S3 begins to respond once it has stored or copied an object.
_FILE_READ_TIMEOUT = 60.0

CALL_SECONDS = 30.0
"""For a call with all its attempts."""

FILE_SECONDS = 900.0
"""For a call that stores or copies a file, as long as the signature is valid."""


class LightClients(NamedTuple):
    """Clients for table and bucket, and the table's name; for any number of threads.

    `files` is of the same bucket as `s3`, for calls that store or copy a file.
    """

    dynamodb: DynamoDB
    s3: S3
    files: S3
    table: str

    def item(self, key: str) -> Item:
        """The item with this key, `{}` if it does not exist."""
        return self.dynamodb.get_item(self.table, {KEY: key}, deadline_within(CALL_SECONDS)) or {}

    def update(
        self, key: str, expression: str, names: Mapping[str, str], values: Mapping[str, Any], condition: str = ""
    ) -> None:
        """Update the item with this key. Raises ConditionFailedError."""
        deadline = deadline_within(CALL_SECONDS)
        self.dynamodb.update_item(self.table, {KEY: key}, expression, names, values, deadline, condition=condition)

    def objects(self, prefix: str) -> Iterator[ListedObject]:
        """The bucket's objects whose keys start with `prefix`."""
        return self.s3.objects(prefix, CALL_SECONDS)


def light_clients(
    table: str,
    bucket: str,
    region: str,
    credentials: Callable[[], Credentials],
    *,
    dynamodb_endpoint: str | None,
    s3_endpoint: str | None,
) -> LightClients:
    """Clients that retry; endpoints are None on AWS."""
    return LightClients(
        DynamoDB(dynamodb_endpoint, region, credentials, retrying_http()),
        S3(s3_endpoint, region, bucket, credentials, retrying_http()),
        S3(s3_endpoint, region, bucket, credentials, retrying_http(_FILE_READ_TIMEOUT)),
        table,
    )


def retrying_http(read_timeout: float = _READ_TIMEOUT) -> HttpClient:
    """A client that repeats a request up to seven times, with pauses of eight to sixteen seconds together."""
    return HttpClient(connect_timeout=_CONNECT_TIMEOUT, read_timeout=read_timeout, backoff=_BACKOFF, attempts=_ATTEMPTS)
