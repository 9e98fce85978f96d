"""Check of table and bucket when a server starts."""

import sys
import time

from lambda_matchbox.aws.clients.dynamodb import DynamoDB
from lambda_matchbox.aws.clients.errors import AWSError, UnreachableError
from lambda_matchbox.aws.clients.http_client import HttpClient
from lambda_matchbox.aws.clients.s3 import S3
from lambda_matchbox.aws.keys import ASSETS_PREFIX, KEY, SHAPES, shapes_in
from lambda_matchbox.errors import StoreUnavailableError
from matchboxctl.cli.errors import UsageError
from matchboxctl.cli.plurals import counted
from matchboxctl.store.aws_errors import with_advice
from matchboxctl.store.mode import StoreSettings

_CHECK_SECONDS = 5.0


def checked_summary(store: StoreSettings, *, meanwhile: str) -> str:
    """A summary of the table, for the end of the store's description.

    Raises UsageError if table or bucket does not exist or refuses access. If they are unavailable, standard error says
    so, and what happens to clients `meanwhile`.
    """
    http, end = HttpClient(), time.monotonic() + _CHECK_SECONDS
    dynamodb = DynamoDB(store.dynamodb_endpoint, store.region, store.credentials, http)
    bucket = S3(store.s3_endpoint, store.region, store.bucket, store.credentials, http)
    try:
        shapes = shapes_in(dynamodb.get_item(store.table, {KEY: SHAPES}, end))
        bucket.list(ASSETS_PREFIX, end)
    except AWSError as error:
        raise UsageError(f"{store.description}: {with_advice(error)}") from error
    except StoreUnavailableError as error:
        # A server that starts during an outage must work after it without another restart.
        why = with_advice(error) if isinstance(error, UnreachableError) else f"{store.description}: {error}"
        print(f"matchboxctl: {why}; {meanwhile} until it answers", file=sys.stderr, flush=True)
        return ""
    return f": {counted(len(shapes), 'selector shape')}"
