"""The app over a table and a bucket, as the Lambda handler wires it, with an HTTP client of the benchmark's."""

import logging
from contextlib import closing

from aws_lambda_powertools import Logger

from benchmarks.boot_machines import PROFILE, groups
from lambda_matchbox.assets.file_server import Delivery
from lambda_matchbox.aws.assets import S3Assets
from lambda_matchbox.aws.bulk.load import bulk_load
from lambda_matchbox.aws.catalog.reader import DynamoDBCatalog
from lambda_matchbox.aws.clients.dynamodb import DynamoDB
from lambda_matchbox.aws.clients.http_client import HttpClient
from lambda_matchbox.aws.clients.s3 import S3
from lambda_matchbox.aws.clients.sigv4 import Credentials
from lambda_matchbox.aws.clients.store_clients import StoreClients
from lambda_matchbox.aws.releases.reader import TableReleases
from lambda_matchbox.aws.responses import S3Responses
from lambda_matchbox.aws.table_and_bucket import create_table
from lambda_matchbox.web.alb import BODY_LIMIT
from lambda_matchbox.web.app import App
from lambda_matchbox.web.metrics import RequestMetrics
from lambda_matchbox.web.routes import Routes, Stores
from lambda_matchbox.web.signatures import Signatures
from tests.rigs.service import Service

_ENOUGH = 60.0


def table_app(
    service: Service, table: str, http: HttpClient, namespace: str = "", signatures: Signatures | None = None
) -> App:
    """The app over `table`; no asset is asked for, so the bucket need not be there.

    Requests are counted in `namespace`, if there is one, and answers signed with `signatures`.
    """

    def credentials() -> Credentials:
        return Credentials(service.access_key, service.secret_key, service.session_token)

    s3 = S3(service.endpoint, service.region, table, credentials, http)
    dynamodb = DynamoDB(service.endpoint, service.region, credentials, http)
    stores = Stores(
        DynamoDBCatalog(dynamodb, s3, table, answer_time=_ENOUGH),
        S3Assets(s3, 3600, answer_time=_ENOUGH),
        TableReleases(dynamodb, s3, table, 3600, answer_time=_ENOUGH),
        S3Responses(s3, 3600, answer_time=_ENOUGH),
    )
    delivery = Delivery(BODY_LIMIT, boundary="boundary")
    count = RequestMetrics(namespace).publish if namespace else None
    return App(Routes(stores, delivery, signatures), Logger(service="bench", level=logging.CRITICAL), count=count)


def fill(service: Service, table: str, size: int) -> None:
    """Make the table, with groups for that many machines and their profile."""
    with closing(service.client("dynamodb")) as client, closing(service.client("s3")) as s3:
        create_table(client, table)
        # Nothing of it is long, so that nothing goes to a bucket.
        bulk_load(StoreClients(client, s3, table, table), [PROFILE, *groups(size)])
