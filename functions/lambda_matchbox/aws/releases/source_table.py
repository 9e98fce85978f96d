"""Which image sources does the table name? Their documents, with a boto3 client."""

from typing import TYPE_CHECKING, Any

from lambda_matchbox.aws.clients.boto3_errors import translated
from lambda_matchbox.aws.clients.dynamodb_json import decode_item, encode_item
from lambda_matchbox.aws.layout import (
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

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


class SourceTable:
    """The documents of sources, as JSON. Every method raises StoreUnavailableError and AWSError."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def documents(self) -> dict[str, str]:
        """All of them, by their ids."""
        with translated():
            answer = self._client.get_item(TableName=self._table, Key=encode_item({KEY: SOURCES}), ConsistentRead=True)
        return texts_of_sources(decode_item(answer.get("Item", {})))

    def pointers(self) -> Pointers:
        """What is served of all sources, also of those that are named no longer."""
        with translated():
            answer = self._client.get_item(TableName=self._table, Key=encode_item({KEY: POINTERS}), ConsistentRead=True)
        return pointers_in(decode_item(answer.get("Item", {})))

    def put(self, source_id: str, document: str) -> None:
        """Add the source, or replace the one of that id; it is due at once."""
        self._update("SET #source = :document", source_id, {":document": document})
        self._forget_check(source_id)

    def delete(self, source_id: str) -> None:
        """Take the source out; should it come back it is due at once."""
        self._update("REMOVE #source", source_id, {})
        self._forget_check(source_id)

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
