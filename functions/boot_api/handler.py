"""The Lambda function behind the balancer: reads the environment once, wires the stores, answers events."""

import os
import secrets
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

from aws_lambda_powertools import Logger

from boot_api.settings import Settings
from lambda_matchbox.assets.file_server import Delivery
from lambda_matchbox.aws.assets import S3Assets
from lambda_matchbox.aws.catalog.reader import DynamoDBCatalog
from lambda_matchbox.aws.clients.dynamodb import DynamoDB
from lambda_matchbox.aws.clients.http_client import HttpClient
from lambda_matchbox.aws.clients.request_deadline import request_deadline
from lambda_matchbox.aws.clients.s3 import S3
from lambda_matchbox.aws.clients.sigv4 import Credentials
from lambda_matchbox.aws.releases.reader import TableReleases
from lambda_matchbox.aws.responses import S3Responses
from lambda_matchbox.web.alb import BODY_LIMIT
from lambda_matchbox.web.app import App
from lambda_matchbox.web.metrics import SERVICE, RequestMetrics
from lambda_matchbox.web.routes import Routes, Stores
from lambda_matchbox.web.signatures import Signatures

# A selection, a template, a question to the bucket each end within this,
_ANSWER_SECONDS = 2.0
# and all that one request asks within this: a machine hears 503 before it gives up.
_REQUEST_SECONDS = 4.5


def wired(
    settings: Settings,
    credentials: Callable[[], Credentials],
    log: Logger,
    count: Callable[[str, int, float], None] | None = None,
    signatures: Signatures | None = None,
) -> App:
    """The app over the table and bucket of the settings; `credentials` are asked for at each call to AWS.

    `count` is told of each request, as `App` does it; `signatures` are by the key, if there is one.
    """
    delivery = Delivery(BODY_LIMIT, boundary=secrets.token_hex(30))
    return App(
        Routes(stores_of(settings, credentials), delivery, signatures),
        log,
        partial(request_deadline, _REQUEST_SECONDS),
        count,
    )


def stores_of(settings: Settings, credentials: Callable[[], Credentials]) -> Stores:
    """The stores over the table and bucket of the settings; `credentials` are asked for at each call to AWS."""
    http = HttpClient()
    dynamodb = DynamoDB(settings.dynamodb_endpoint, settings.region, credentials, http)
    s3 = S3(settings.s3_endpoint, settings.region, settings.bucket, credentials, http)
    lifetime, bucket_url = settings.presigned_lifetime, settings.bucket_url
    return Stores(
        DynamoDBCatalog(dynamodb, s3, settings.table, answer_time=_ANSWER_SECONDS),
        S3Assets(s3, lifetime, answer_time=_ANSWER_SECONDS, bucket_url=bucket_url),
        TableReleases(dynamodb, s3, settings.table, lifetime, answer_time=_ANSWER_SECONDS, bucket_url=bucket_url),
        S3Responses(s3, lifetime, answer_time=_ANSWER_SECONDS),
    )


def app_of(environment: Mapping[str, str], signatures: Signatures | None = None) -> App:
    """The app as a function's environment describes it. Raises MissingSettingError."""
    settings = Settings.from_environment(environment)
    count = RequestMetrics(settings.metrics_namespace).publish if settings.metrics_namespace else None
    log = Logger(service=SERVICE, level=settings.log_level)
    return wired(settings, credentials_of(environment), log, count, signatures)


def credentials_of(environment: Mapping[str, str]) -> Callable[[], Credentials]:
    """What tells the credentials that Lambda gives a function."""

    def credentials() -> Credentials:
        return Credentials(
            environment["AWS_ACCESS_KEY_ID"],
            environment["AWS_SECRET_ACCESS_KEY"],
            environment.get("AWS_SESSION_TOKEN") or None,
        )

    return credentials


@cache
def _app() -> App:
    return app_of(os.environ)


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 (Lambda's signature)
    """Answer one event of the balancer."""
    return _app().handle(event)
