"""The app over a DynamoDB table and an S3 bucket, as the Lambda functions and store mode run it."""

import os
from collections.abc import Callable, Mapping
from functools import partial

from lambda_matchbox.assets.file_server import Delivery
from lambda_matchbox.aws.assets import S3Assets
from lambda_matchbox.aws.catalog.reader import DynamoDBCatalog
from lambda_matchbox.aws.clients.dynamodb import DynamoDB
from lambda_matchbox.aws.clients.http_client import HttpClient
from lambda_matchbox.aws.clients.request_deadline import request_deadline
from lambda_matchbox.aws.clients.s3 import S3
from lambda_matchbox.aws.clients.sigv4 import Credentials, lambda_credentials
from lambda_matchbox.aws.machines import TableMachines
from lambda_matchbox.aws.releases.reader import TableReleases
from lambda_matchbox.aws.secrets import StackSecrets
from lambda_matchbox.aws.stored_responses import S3Responses
from lambda_matchbox.secrets.cache import CachedSecrets
from lambda_matchbox.web.access_log import SERVICE, Log
from lambda_matchbox.web.alb import BODY_LIMIT
from lambda_matchbox.web.app import App
from lambda_matchbox.web.function_log import FunctionLog
from lambda_matchbox.web.metrics import RequestMetrics
from lambda_matchbox.web.routes import Routes, Stores
from lambda_matchbox.web.settings import Settings
from lambda_matchbox.web.signatures import Signatures

# The time for one selection, template or call of the bucket,
_CALL_SECONDS = 2.0
# and for all calls of one request: a machine gets its 503 before it gives up.
_REQUEST_SECONDS = 4.5
# At the start of a function, of ten that Lambda allows.
_PREPARATION_SECONDS = 1.0


def stores(
    settings: Settings,
    credentials: Callable[[], Credentials],
    http: HttpClient | None = None,
    call_seconds: float = _CALL_SECONDS,
    *,
    prepare: bool = False,
) -> Stores:
    """The stores over the settings' table and bucket; `credentials` is called for each call to AWS.

    With `prepare` they are connected to the table, if that can be had at once.
    """
    http = http or HttpClient()
    dynamodb = DynamoDB(settings.dynamodb_endpoint, settings.region, credentials, http)
    s3 = S3(settings.s3_endpoint, settings.region, settings.bucket, credentials, http)
    lifetime = settings.presigned_lifetime
    assets = S3Assets(s3, lifetime, call_timeout=call_seconds, bucket_url=settings.bucket_url)
    catalog = DynamoDBCatalog(dynamodb, s3, settings.table, call_timeout=call_seconds)
    if prepare:
        catalog.prepare(_PREPARATION_SECONDS)
    return Stores(
        catalog,
        assets,
        TableReleases(dynamodb, settings.table, assets, call_timeout=call_seconds),
        S3Responses(s3, lifetime, call_timeout=call_seconds),
        TableMachines(dynamodb, settings.table, call_timeout=call_seconds),
        CachedSecrets(StackSecrets(settings.secrets, settings.region, credentials, http, call_timeout=call_seconds)),
    )


def app(
    settings: Settings,
    found: Stores,
    log: Log,
    count: Callable[[int, float], None] | None = None,
    signatures: Signatures | None = None,
) -> App:
    """The app over these stores; see `App` for `count`, and `Routes` for `signatures`."""
    delivery = Delivery(BODY_LIMIT, boundary=os.urandom(30).hex())
    routes = Routes(found, delivery, signatures, base_url=settings.base_url, direct_files=settings.direct_files)
    return App(routes, log, partial(request_deadline, _REQUEST_SECONDS), count)


def lambda_app(environment: Mapping[str, str], signatures: Signatures | None = None) -> App:
    """The app of a Lambda function with this environment. Raises MissingSettingError and ValueError."""
    settings = Settings.from_environment(environment)
    count = RequestMetrics(settings.metrics_namespace).publish if settings.metrics_namespace else None
    # The history is made of these lines.
    level = "INFO" if settings.history and settings.log_level != "DEBUG" else settings.log_level
    log = FunctionLog(level, SERVICE)
    # Lambda starts a function with a whole processor, whatever its memory, and then has its first request ready. Of the
    # function that signs, that may be for an asset.
    prepare = signatures is None and "AWS_LAMBDA_FUNCTION_NAME" in environment
    found = stores(settings, partial(lambda_credentials, environment), prepare=prepare)
    return app(settings, found, log, count, signatures)
