"""A new table and bucket for a test, their writer, and readers that have read nothing yet."""

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lambda_matchbox.aws.catalog.reader import DynamoDBCatalog
from lambda_matchbox.aws.catalog.writer import CatalogWriter
from lambda_matchbox.aws.clients.dynamodb import DynamoDB
from lambda_matchbox.aws.clients.http_client import HttpClient
from lambda_matchbox.aws.clients.light_clients import LightClients
from lambda_matchbox.aws.clients.s3 import S3
from lambda_matchbox.aws.clients.sigv4 import Credentials
from lambda_matchbox.aws.clients.store_clients import StoreClients
from lambda_matchbox.aws.fsck.fsck import Ages, Fsck
from lambda_matchbox.aws.fsck.rules import Finding
from lambda_matchbox.aws.keys import entry_key
from lambda_matchbox.aws.table_and_bucket import create_bucket, create_table
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.selection import selectors_of
from tests.rigs.service import Service

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_s3 import S3Client

ENOUGH = 60.0
"""Seconds in which any machine gets a response."""


class CatalogTable:
    """A table on `tables` and a bucket of the same name on `buckets`; both clients are the caller's to close."""

    def __init__(
        self, tables: Service, client: "DynamoDBClient", buckets: Service, s3_client: "S3Client", http: HttpClient
    ) -> None:
        self.service = tables
        self.name = f"catalogue-{uuid.uuid4()}"
        self.client = client
        self.s3_client = s3_client
        self._buckets = buckets
        self._http = http
        create_table(client, self.name)
        create_bucket(s3_client, self.name, buckets.region)
        self.clients = StoreClients(client, s3_client, self.name, self.name)
        s3 = S3(buckets.endpoint, buckets.region, self.name, lambda: _credentials(buckets), http)
        self.light = LightClients(self.dynamodb(), s3, s3, self.name)
        self.writer = self.new_writer()

    def new_writer(self) -> CatalogWriter:
        return CatalogWriter(self.clients)

    def dynamodb(self, endpoint: str | None = None, kind: type[DynamoDB] = DynamoDB) -> DynamoDB:
        tables = self.service
        return kind(endpoint or tables.endpoint, tables.region, lambda: _credentials(tables), self._http)

    def reader(self, endpoint: str | None = None, kind: type[DynamoDB] = DynamoDB) -> DynamoDBCatalog:
        return DynamoDBCatalog(self.dynamodb(endpoint, kind), self.light.s3, self.name, call_timeout=ENOUGH)

    def fill(self, *groups: Group) -> None:
        for group in groups:
            self.writer.put_group(group)

    def entry(self, selector: Mapping[str, str]) -> dict[str, Any] | None:
        key = {"pk": {"S": entry_key(selectors_of(selector)[0])}}
        return self.client.get_item(TableName=self.name, Key=key, ConsistentRead=True).get("Item")

    def fsck(self, *, repair: bool = False, ages: Ages | None = None) -> list[Finding]:
        """What fsck finds and repairs."""
        run = Fsck(self.clients, self.light, repair=repair, ages=ages or Ages())
        return list(run.run())

    def close(self) -> None:
        self.client.delete_table(TableName=self.name)


def _credentials(service: Service) -> Credentials:
    return Credentials(service.access_key, service.secret_key, service.session_token)
