"""The Lambda function's app over a table, and what each of its responses costs that table."""

import base64
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple
from urllib.parse import quote

from lambda_matchbox.web.app import App
from lambda_matchbox.web.wiring import lambda_app
from tests.rigs.catalog_table import CatalogTable
from tests.rigs.tcp_fault import FaultProxy, fault_proxy
from tests.support.long_timeout import long_timeout

READS = {"GetItem", "BatchGetItem"}
"""All that the boot path may ask of a table."""


class Reply(NamedTuple):
    """Status and body."""

    status: int
    body: bytes


class BootApp:
    """The app, whose requests to the table pass through a proxy that counts them."""

    def __init__(self, app: App, proxy: FaultProxy) -> None:
        self._app = app
        self.proxy = proxy

    def send(self, path: str, **labels: str) -> Reply:
        query = {quote(key): [quote(value)] for key, value in labels.items()}
        headers = {"host": ["boot.example"], "x-forwarded-for": ["10.0.0.5"]}
        response = self._app.handle(
            {
                "httpMethod": "GET",
                "path": path,
                "multiValueQueryStringParameters": query,
                "multiValueHeaders": headers,
            }
        )
        body = base64.b64decode(response["body"]) if response["isBase64Encoded"] else response["body"].encode()
        return Reply(response["statusCode"], body)

    def cost(self, path: str, **labels: str) -> int:
        """How many calls of DynamoDB the response took; it has to be one, and all calls reads by key."""
        calls = self.calls(path, **labels)
        assert set(calls) <= READS
        return sum(calls.values())

    def calls(self, path: str, **labels: str) -> Counter[str]:
        """The calls of DynamoDB that the response took, which has to be one, by operation."""
        self.proxy.forget_requests()
        reply = self.send(path, **labels)
        assert 200 == reply.status, reply
        return self.proxy.requests()


@contextmanager
def boot_app(table: CatalogTable, **more: str) -> Iterator[BootApp]:
    """A new app, which has asked nothing yet; `more` is its environment beyond the table's."""
    with fault_proxy(table.service.endpoint) as proxy:
        environment = {
            "MATCHBOX_TABLE": table.name,
            "MATCHBOX_BUCKET": table.name,
            "MATCHBOX_LOG_LEVEL": "critical",
            "AWS_REGION": table.service.region,
            # DynamoDB Local shows each key its own tables, and moto's buckets take any.
            "AWS_ACCESS_KEY_ID": table.service.access_key,
            "AWS_SECRET_ACCESS_KEY": table.service.secret_key,
            "AWS_ENDPOINT_URL_DYNAMODB": proxy.endpoint,
            "AWS_ENDPOINT_URL_S3": table.s3_client.meta.endpoint_url,
            **more,
        }
        with long_timeout():
            app = lambda_app(environment)
        yield BootApp(app, proxy)
