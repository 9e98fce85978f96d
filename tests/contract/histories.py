"""Histories of machines in new tables, and events of machines."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from uuid import uuid4

from lambda_matchbox.aws.clients.dynamodb import DynamoDB
from lambda_matchbox.aws.clients.http_client import HttpClient
from lambda_matchbox.aws.clients.sigv4 import Credentials
from lambda_matchbox.aws.history import TableHistory
from lambda_matchbox.aws.table_and_bucket import create_history_table
from lambda_matchbox.machines.events import Event, event_in
from lambda_matchbox.machines.history import HOUR
from tests.rigs.catalog_table import ENOUGH
from tests.rigs.service import Service

MAC, UUID = "52:54:00:12:34:56", "4c4c4544-0038-4410-8052-b3c04f4b5931"
START = 700_000 * HOUR


@contextmanager
def on_dynamodb(service: Service, endpoint: str = "") -> Iterator[TableHistory]:
    """A history in a new table."""
    with (
        closing(service.client("dynamodb")) as client,
        closing(HttpClient(connect_timeout=ENOUGH, read_timeout=ENOUGH)) as http,
    ):
        name = f"history-{uuid4()}"
        create_history_table(client, name)
        credentials = Credentials(service.access_key, service.secret_key, service.session_token)
        dynamodb = DynamoDB(endpoint or service.endpoint, service.region, lambda: credentials, http)
        yield TableHistory(dynamodb, name, 30 * 24 * 3600, call_timeout=ENOUGH)
        client.delete_table(TableName=name)


def event(time: int, route: str = "/ipxe", client: str = "10.0.0.1", **fields: object) -> Event:
    line = {"route": route, "method": "GET", "status": 200, "client": client, "user_agent": "iPXE", **fields}
    found = event_in(line, START + time)
    assert found is not None
    return found


def mac(number: int) -> str:
    return f"52:54:00:00:00:{number:02x}"
