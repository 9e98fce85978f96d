"""The documents of image sources in the table."""

from typing import Any

from lambda_matchbox.aws.clients.boto3_errors import translated
from lambda_matchbox.aws.clients.dynamodb_json import decode_item, encode_item
from lambda_matchbox.aws.clients.store_clients import StoreClients
from lambda_matchbox.aws.keys import (
    CHECKED,
    KEY,
    POINTERS,
    SOURCES,
    pointers_in,
    source_name,
    sync_key,
    texts_of_sources,
)
from lambda_matchbox.releases.pointers import Pointers


class SourceTable:
    """The documents of sources, as JSON. Every method raises StoreUnavailableError and AWSError."""

    def __init__(self, clients: StoreClients) -> None:
        self._client = clients.dynamodb
        self._table = clients.table

    def documents(self) -> dict[str, str]:
        """All documents by id."""
        return texts_of_sources(self._item(SOURCES))

    def pointers(self) -> Pointers:
        """The pointers of all sources, also of removed ones."""
        return pointers_in(self._item(POINTERS))

    def put(self, source_id: str, document: str) -> None:
        """Add or replace the source; it is due at once."""
        self._update("SET #source = :document", source_id, {":document": document})
        self._forget_check(source_id)

    def delete(self, source_id: str) -> None:
        """Remove the source; if it is added again, it is due at once."""
        self._update("REMOVE #source", source_id, {})
        self._forget_check(source_id)

    def _item(self, key: str) -> dict[str, Any]:
        with translated():
            response = self._client.get_item(TableName=self._table, Key=encode_item({KEY: key}), ConsistentRead=True)
        return decode_item(response.get("Item", {}))

    def _forget_check(self, source_id: str) -> None:
        with translated():
            self._client.update_item(
                TableName=self._table,
                Key=encode_item({KEY: sync_key(source_id)}),
                UpdateExpression="REMOVE #checked",
                ExpressionAttributeNames={"#checked": CHECKED},
            )

    def _update(self, expression: str, source_id: str, values: dict[str, str]) -> None:
        given: Any = {"ExpressionAttributeValues": encode_item(values)} if values else {}
        with translated():
            self._client.update_item(
                TableName=self._table,
                Key=encode_item({KEY: SOURCES}),
                UpdateExpression=expression,
                ExpressionAttributeNames={"#source": source_name(source_id)},
                **given,
            )
