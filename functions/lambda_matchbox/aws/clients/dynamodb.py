"""Reads and writes of DynamoDB items."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any, NamedTuple

from lambda_matchbox.aws.clients.dynamodb_json import Item, decode_item, encode_item
from lambda_matchbox.aws.clients.errors import AWSError
from lambda_matchbox.aws.clients.http_client import HttpClient
from lambda_matchbox.aws.clients.json_service import JsonProtocol, JsonService, encoded, quoted
from lambda_matchbox.aws.clients.request_deadline import deadline_within
from lambda_matchbox.aws.clients.sigv4 import Credentials
from lambda_matchbox.backoff import Backoff
from lambda_matchbox.errors import StoreUnavailableError

_PROTOCOL = JsonProtocol("dynamodb", "DynamoDB_20120810", "1.0")
_BACKOFF = Backoff()

BATCH_KEYS = 100
"""The limit of one BatchGetItem."""


class ConditionFailedError(Exception):
    """An item was not as expected, or another transaction was changing it."""


class CancelledError(Exception):
    """A transaction was cancelled: `reasons` has a code for each of its actions, `None` for one that would succeed."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        # As all servers write it, beside the list of those that a program is meant to read.
        self.reasons = message.rpartition("[")[2].rstrip("]").split(", ")


class ItemWrite(NamedTuple):
    """An item to put or to delete; `expected` are attributes that it has now, None if it does not exist."""

    item: Mapping[str, Any]
    expected: Mapping[str, Any] | None
    delete: bool = False


class DynamoDB:
    """Strongly consistent reads of whole items, writes and transactions.

    `endpoint` is `http[s]://HOST[:PORT]`, or None for the region's own. A deadline is a moment of time.monotonic().
    All calls raise StoreUnavailableError without a complete response in time, AWSError for a refusal.
    """

    def __init__(
        self, endpoint: str | None, region: str, credentials_provider: Callable[[], Credentials], http: HttpClient
    ) -> None:
        self._service = JsonService(_PROTOCOL, endpoint, region, credentials_provider, http)

    def get_item(self, table: str, key: Mapping[str, Any], deadline: float) -> Item | None:
        """The item with this key, or None."""
        request = {"TableName": table, "Key": encode_item(key), "ConsistentRead": True}
        response = self._service.call("GetItem", request, deadline)
        return decode_item(response["Item"]) if "Item" in response else None

    def batch_get_items(
        self,
        table: str,
        name: str,
        keys: Sequence[str],
        deadline: float,
        leave: Callable[[Sequence[str]], bool] = lambda _: False,
        sort_key: tuple[str, str] | None = None,
    ) -> list[Item]:
        """The items that exist of these keys, values of `name`, in no order, and all of them.

        The keys must be distinct; `sort_key`, a name and a value, is the same for all. More than 100 are read in
        parallel calls. Together the items are not a snapshot. DynamoDB may leave keys for another call: none is made
        for those that `leave` accepts.
        """
        # JSON by hand: each boot makes two calls, and an encoder takes longer for them than all else here.
        end = "}" if sort_key is None else f',{quoted(sort_key[0])}:{{"S":{quoted(sort_key[1])}}}}}'
        start = f'{{{quoted(name)}:{{"S":'
        texts = [f"{start}{quoted(key)}}}{end}" for key in keys]
        if len(texts) <= BATCH_KEYS:
            return self._batch(table, name, texts, deadline, leave) if texts else []
        # Imported where it is needed: most tables have fewer selector shapes than BATCH_KEYS.
        from concurrent.futures import ThreadPoolExecutor

        batches = [texts[start : start + BATCH_KEYS] for start in range(0, len(texts), BATCH_KEYS)]
        with ThreadPoolExecutor(len(batches)) as threads:
            found = threads.map(lambda batch: self._batch(table, name, batch, deadline, leave), batches)
            return [item for items in found for item in items]

    def scan(
        self,
        table: str,
        condition: str,
        names: Mapping[str, str],
        values: Mapping[str, Any],
        page_timeout: float,
        *,
        index: str = "",
        page_size: int = 0,
    ) -> Iterator[Item]:
        """The items that meet the condition, of an index those that it has by now.

        It reads the whole table or index, in parallel, or as much as is taken of pages of so many items, if that is
        given; each page within so many seconds.
        """
        request = {
            "TableName": table,
            "FilterExpression": condition,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": encode_item(values),
            **({"IndexName": index} if index else {"ConsistentRead": True}),
        }

        def scan(page: Mapping[str, Any]) -> Any:
            return self._service.call("Scan", page, deadline_within(page_timeout))

        if not page_size:
            # Imported here: no machine waits for a list.
            from lambda_matchbox.aws.parallel import scan_pages

            for page in scan_pages(scan, request):
                yield from map(decode_item, page["Items"])
            return
        request["Limit"] = page_size
        while True:
            page = scan(request)
            yield from map(decode_item, page["Items"])
            if not (last := page.get("LastEvaluatedKey")):
                return
            request["ExclusiveStartKey"] = last

    def query(
        self,
        table: str,
        key: tuple[str, str],
        between: tuple[str, str, str],
        deadline: float,
        *,
        index: str = "",
        limit: int | None = None,
    ) -> list[Item]:
        """The items with this key, a name and a value, whose sort key, a name, is within two values, in its order.

        Of an index they are those that it has by now, the last ones first. The first `limit` of them are returned.
        """
        pages = self._query(table, key, between, deadline, index, limit)
        return [decode_item(item) for page in pages for item in page["Items"]]

    def count(
        self,
        table: str,
        key: tuple[str, str],
        between: tuple[str, str, str],
        deadline: float,
        *,
        index: str,
        limit: int,
    ) -> int:
        """The number of items that query() returns."""
        return sum(page["Count"] for page in self._query(table, key, between, deadline, index, limit, Select="COUNT"))

    def _query(
        self,
        table: str,
        key: tuple[str, str],
        between: tuple[str, str, str],
        deadline: float,
        index: str,
        limit: int | None,
        **options: str,
    ) -> Iterator[dict[str, Any]]:
        (name, value), (sort_key, first, last) = key, between
        if first > last:
            return
        request: dict[str, Any] = {
            "TableName": table,
            "KeyConditionExpression": "#key = :key AND #sort BETWEEN :first AND :last",
            "ExpressionAttributeNames": {"#key": name, "#sort": sort_key},
            "ExpressionAttributeValues": encode_item({":key": value, ":first": first, ":last": last}),
            **({"IndexName": index, "ScanIndexForward": False} if index else {"ConsistentRead": True}),
            **options,
        }
        number = 0
        while limit is None or number < limit:
            page = self._service.call("Query", request | ({"Limit": limit - number} if limit else {}), deadline)
            number += page["Count"]
            yield page
            if not (more := page.get("LastEvaluatedKey")):
                return
            request["ExclusiveStartKey"] = more

    def put_item(self, table: str, key: str, write: ItemWrite, deadline: float) -> None:
        """Make one write that puts. Raises ConditionFailedError, also if a repeated attempt finds its own write."""
        try:
            self._service.call("PutItem", transaction_item(table, key, write)["Put"], deadline)
        except AWSError as error:
            if error.code == "ConditionalCheckFailedException":
                raise ConditionFailedError from error
            raise

    def update_item(
        self,
        table: str,
        key: Mapping[str, Any],
        expression: str,
        names: Mapping[str, str],
        values: Mapping[str, Any],
        deadline: float,
        *,
        condition: str = "",
    ) -> None:
        """Make one update, which is to be the same if it is repeated. Raises ConditionFailedError."""
        try:
            self._service.call("UpdateItem", update(table, key, expression, names, values, condition), deadline)
        except AWSError as error:
            if error.code == "ConditionalCheckFailedException":
                raise ConditionFailedError from error
            raise

    def delete_item(self, table: str, key: Mapping[str, Any], deadline: float) -> None:
        """Delete the item with this key, if there is one."""
        self._service.call("DeleteItem", {"TableName": table, "Key": encode_item(key)}, deadline)

    def write_together(self, table: str, key: str, writes: Sequence[ItemWrite], deadline: float) -> None:
        """Make all the writes or none. Raises ConditionFailedError."""
        try:
            self.transact([transaction_item(table, key, write) for write in writes], deadline)
        except CancelledError as error:
            if {"ConditionalCheckFailed", "TransactionConflict"} & {*error.reasons}:
                raise ConditionFailedError from error
            raise StoreUnavailableError(f"the transaction was cancelled: {error}") from error

    def transact(self, actions: Sequence[Mapping[str, Any]], deadline: float) -> None:
        """Carry out all actions of TransactWriteItems or none. Raises CancelledError.

        A repeated attempt of the same call changes nothing (its ClientRequestToken).
        """
        request = {"TransactItems": actions, "ClientRequestToken": os.urandom(16).hex()}
        try:
            self._service.call("TransactWriteItems", request, deadline)
        except AWSError as error:
            if error.code == "TransactionCanceledException":
                raise CancelledError(error.message) from error
            raise

    def _batch(
        self, table: str, name: str, keys: list[str], deadline: float, leave: Callable[[Sequence[str]], bool]
    ) -> list[Item]:
        items: list[Item] = []
        for attempt in count(1):
            request = f'{{"RequestItems":{{{quoted(table)}:{{"Keys":[{",".join(keys)}],"ConsistentRead":true}}}}}}'
            response = self._service.call("BatchGetItem", request, deadline)
            items += map(decode_item, response["Responses"].get(table, ()))
            unprocessed = response.get("UnprocessedKeys", {}).get(table, {}).get("Keys")
            if not unprocessed or leave([key[name]["S"] for key in unprocessed]):
                break
            keys = [encoded(key) for key in unprocessed]
            if not _BACKOFF.wait(attempt, deadline):
                raise StoreUnavailableError(f"unprocessed keys of {table!r} after {attempt} calls: {len(keys)}")
        return items


def update(
    table: str,
    key: Mapping[str, Any],
    expression: str,
    names: Mapping[str, str],
    values: Mapping[str, Any],
    condition: str = "",
) -> dict[str, Any]:
    """The parameters of an update; `names` and `values` are those of its expressions."""
    return {
        "TableName": table,
        "Key": encode_item(key),
        "UpdateExpression": expression,
        "ExpressionAttributeNames": names,
        **({"ExpressionAttributeValues": encode_item(values)} if values else {}),
        **({"ConditionExpression": condition} if condition else {}),
    }


def transaction_item(table: str, key: str, write: ItemWrite) -> dict[str, Any]:
    """The write as an action of TransactWriteItems; `key` is the name of the table's key."""
    expected = write.expected
    names = {"#key": key} if expected is None else {f"#{at}": name for at, name in enumerate(expected)}
    condition: dict[str, Any] = {
        "ConditionExpression": "attribute_not_exists(#key)"
        if expected is None
        else " AND ".join(f"#{at} = :{at}" for at in range(len(expected))),
        "ExpressionAttributeNames": names,
    }
    if expected is not None:
        values = encode_item({f":{at}": value for at, value in enumerate(expected.values())})
        condition["ExpressionAttributeValues"] = values
    if write.delete:
        return {"Delete": {"TableName": table, "Key": encode_item({key: write.item[key]}), **condition}}
    return {"Put": {"TableName": table, "Item": encode_item(write.item), **condition}}
