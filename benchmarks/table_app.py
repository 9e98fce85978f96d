"""The app over a table and a bucket with an HTTP client of the benchmark's."""

from contextlib import closing
from functools import partial

from benchmarks.boot_machines import PROFILE, groups
from lambda_matchbox.assets.file_server import Delivery
from lambda_matchbox.aws.bulk.load import bulk_load
from lambda_matchbox.aws.clients.http_client import HttpClient
from lambda_matchbox.aws.clients.request_deadline import request_deadline
from lambda_matchbox.aws.clients.store_clients import StoreClients
from lambda_matchbox.aws.table_and_bucket import create_table
from lambda_matchbox.web.access_log import SERVICE
from lambda_matchbox.web.alb import BODY_LIMIT
from lambda_matchbox.web.app import App
from lambda_matchbox.web.function_log import FunctionLog
from lambda_matchbox.web.metrics import RequestMetrics
from lambda_matchbox.web.routes import Routes
from lambda_matchbox.web.signatures import Signatures
from tests.rigs.service import Service
from tests.support.table_stores import table_stores

_REQUEST_SECONDS = 60.0


def table_app(
    service: Service, table: str, http: HttpClient, namespace: str = "", signatures: Signatures | None = None
) -> App:
    """The app over `table` as the function has it, without log lines; its bucket may be absent.

    Requests are counted in `namespace`, if one is given, and responses signed with `signatures`.
    """
    routes = Routes(table_stores(service, table, http), Delivery(BODY_LIMIT, boundary="boundary"), signatures)
    count = RequestMetrics(namespace).publish if namespace else None
    return App(routes, FunctionLog("CRITICAL", SERVICE), partial(request_deadline, _REQUEST_SECONDS), count)


def fill(service: Service, table: str, size: int) -> None:
    """Create the table, with groups for that many machines and their profile."""
    with closing(service.client("dynamodb")) as client, closing(service.client("s3")) as s3:
        create_table(client, table)
        # All of it is short: nothing goes to a bucket.
        bulk_load(StoreClients(client, s3, table, table), [PROFILE, *groups(size)])
