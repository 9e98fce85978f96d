"""The history of machines in store mode."""

from lambda_matchbox.aws.clients.dynamodb import DynamoDB
from lambda_matchbox.aws.clients.http_client import HttpClient
from lambda_matchbox.aws.history import TableHistory
from matchboxctl.store.mode import StoreSettings

_CALL_SECONDS = 10.0
_DAY = 24 * 3600


def table_history(store: StoreSettings, days: int = 30) -> TableHistory:
    """The history in its table, where there is one. What is written expires after so many days."""
    dynamodb = DynamoDB(store.dynamodb_endpoint, store.region, store.credentials, HttpClient())
    return TableHistory(dynamodb, store.history_table, days * _DAY, call_timeout=_CALL_SECONDS)
