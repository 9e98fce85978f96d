"""Single writes to a table with other writers."""

import time
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from botocore.exceptions import ClientError

from lambda_matchbox.aws.catalog.items import UnwritableError
from lambda_matchbox.aws.clients.dynamodb_json import encode_item
from lambda_matchbox.aws.clients.store_clients import StoreClients
from lambda_matchbox.aws.keys import KEY, MAX_ITEM_SIZE, MAX_NAME_SIZE, SHAPES, member_name, shape_name
from lambda_matchbox.backoff import Backoff
from lambda_matchbox.catalog.selection import Shape
from lambda_matchbox.errors import StoreUnavailableError

RETRY_SECONDS = 30.0
"""How long a write that conflicts with others is retried."""

SHAPE_TIME = 10.0
"""Seconds for which a shape, once named, is not named again: SHAPES is one item for all writers."""

_BACKOFF = Backoff(first=0.02, longest=1.0)
_TRANSIENT = frozenset(
    {
        "ConditionalCheckFailed",
        "ConditionalCheckFailedException",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "ThrottlingError",
        "ThrottlingException",
        "TransactionConflict",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)


class TableWrites:
    """Reads and writes of single items; not for several threads."""

    def __init__(self, clients: StoreClients, retry_seconds: float) -> None:
        self.client = clients.dynamodb
        self.table = clients.table
        self._retry_seconds = retry_seconds
        self._shapes: dict[Shape, float] = {}

    def read(self, key: str) -> dict[str, Any] | None:
        """The item, encoded, or None."""
        answer = self.client.get_item(TableName=self.table, Key=encode_item({KEY: key}), ConsistentRead=True)
        return answer.get("Item")

    def read_together(self, *keys: str) -> list[dict[str, Any] | None]:
        """The items with these keys at one moment, encoded."""
        gets: Any = [{"Get": {"TableName": self.table, "Key": encode_item({KEY: key})}} for key in keys]
        answer = self.client.transact_get_items(TransactItems=gets)
        return [found.get("Item") for found in answer["Responses"]]

    def name_shape(self, shape: Shape, *, within: float = SHAPE_TIME) -> None:
        """Name the shape in SHAPES unless that was done in the last `within` seconds.

        A shape without an entry is harmless, so it is written first. This removes fsck's mark of an unused shape.
        Raises UnwritableError if SHAPES cannot take it.
        """
        now = time.monotonic()
        if now - self._shapes.get(shape, -within) < within:
            return
        name = shape_name(shape)
        if len(name) > MAX_NAME_SIZE:
            raise UnwritableError(
                f"the selector's keys have {len(name)} bytes together; DynamoDB's limit is {MAX_NAME_SIZE}"
            )
        try:
            self.client.update_item(
                TableName=self.table,
                Key=encode_item({KEY: SHAPES}),
                UpdateExpression="SET #shape = :in_use",
                ExpressionAttributeNames={"#shape": name},
                ExpressionAttributeValues={":in_use": {"M": {}}},
            )
        except ClientError as error:
            if not _is_too_large(error):
                raise
            raise UnwritableError(
                f"with the selector's keys the item of all shapes would exceed {MAX_ITEM_SIZE} bytes (400 KB), "
                "DynamoDB's limit: `matchboxctl fsck --repair` removes unused ones"
            ) from error
        self._shapes[shape] = now

    def member(self, key: str, selector: str, group_id: str, value: Mapping[str, str]) -> dict[str, Any]:
        """The update that sets the group's value in the entry with this key and selector text."""
        return {
            "TableName": self.table,
            "Key": encode_item({KEY: key}),
            "UpdateExpression": "SET #group = :value, #s = :s ADD #v :one",
            "ExpressionAttributeNames": {"#group": member_name(group_id), "#s": "s", "#v": "v"},
            "ExpressionAttributeValues": {":value": value, ":s": {"S": selector}, ":one": {"N": "1"}},
        }

    def persist(self, what: str, write: Callable[[], Any]) -> Any:
        """What `write` returns, retried after conflicts and throttling for `retry_seconds`, 0 for no retry.

        Raises UnwritableError, StoreUnavailableError when the time is over, and what else `write` raises.
        """
        deadline = time.monotonic() + self._retry_seconds
        for attempt in count(1):
            try:
                return write()
            except UnwritableError as error:
                raise UnwritableError(f"{what}: {error}") from error
            except ClientError as error:
                codes = _codes(error)
                if _is_too_large(error):
                    raise UnwritableError(
                        f"{what}: an item of this write would exceed {MAX_ITEM_SIZE} bytes (400 KB), DynamoDB's limit; "
                        "a selector's entry grows with each group that has this selector"
                    ) from error
                if not codes <= _TRANSIENT:
                    raise
                if not _BACKOFF.wait(attempt, deadline):
                    attempts = f" (attempts: {attempt})" if self._retry_seconds else ""
                    raise StoreUnavailableError(f"{what}: {', '.join(sorted(codes))}{attempts}") from error
        raise AssertionError


def unchanged(old: Mapping[str, Any] | None) -> dict[str, Any]:
    """The condition that a group's item has not changed since it was read."""
    if old is None:
        return {"ConditionExpression": "attribute_not_exists(#pk)", "ExpressionAttributeNames": {"#pk": KEY}}
    if "rev" not in old:
        return {"ConditionExpression": "attribute_not_exists(#rev)", "ExpressionAttributeNames": {"#rev": "rev"}}
    return {
        "ConditionExpression": "#rev = :rev",
        "ExpressionAttributeNames": {"#rev": "rev"},
        "ExpressionAttributeValues": {":rev": old["rev"]},
    }


def _codes(error: ClientError) -> set[str]:
    """The error codes; those of the actions if it is a transaction."""
    reasons = error.response.get("CancellationReasons", [])
    codes = {str(reason["Code"]) for reason in reasons if reason.get("Code", "None") != "None"}
    return codes or {error.response["Error"]["Code"]}


def _is_too_large(error: ClientError) -> bool:
    reasons = [str(reason.get("Message")) for reason in error.response.get("CancellationReasons", [])]
    # DynamoDB has no code of its own for this: "Item size to update has exceeded the maximum allowed size".
    return any("tem size" in message for message in [*reasons, error.response["Error"]["Message"]])
