"""Are table and bucket there when a server starts?"""

import sys
import time

from lambda_matchbox.aws.clients.dynamodb import DynamoDB
from lambda_matchbox.aws.clients.errors import AWSError
from lambda_matchbox.aws.clients.http_client import HttpClient
from lambda_matchbox.aws.clients.s3 import S3
from lambda_matchbox.aws.layout import ASSETS_PREFIX, KEY, SHAPES, shapes_in
from lambda_matchbox.errors import StoreUnavailableError
from matchboxctl.cli.errors import UsageError
from matchboxctl.store.advice import with_advice
from matchboxctl.store.mode import StoreSettings

_CHECK_SECONDS = 5.0


def found(store: StoreSettings, *, meanwhile: str) -> str:
    """What is there, in a few words. Raises UsageError where table or bucket is not there or refused.

    Where they do not answer, standard error is told so, and what clients are told `meanwhile`.
    """
    http, end = HttpClient(), time.monotonic() + _CHECK_SECONDS
    dynamodb = DynamoDB(store.dynamodb_endpoint, store.region, store.credentials, http)
    bucket = S3(store.s3_endpoint, store.region, store.bucket, store.credentials, http)
    try:
        shapes = shapes_in(dynamodb.get_item(store.table, {KEY: SHAPES}, end))
        bucket.list(ASSETS_PREFIX, deadline=end)
    except AWSError as error:
        raise UsageError(f"{store.place}: {with_advice(error)}") from error
    except StoreUnavailableError as error:
        # A restart while AWS is away must not need another one when it is back.
        print(f"matchboxctl: {store.place}: {error}; {meanwhile} until it answers", file=sys.stderr, flush=True)
        return ""
    return f": {len(shapes)} selector shapes"
