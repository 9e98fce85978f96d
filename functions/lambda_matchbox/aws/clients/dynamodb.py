"""Which items does a table hold under these keys?"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lambda_matchbox.aws.clients.dynamodb_json import Item, decode_item, encode_item
from lambda_matchbox.aws.clients.http_client import HttpClient
from lambda_matchbox.aws.clients.json_service import JsonService, Protocol
from lambda_matchbox.aws.clients.sigv4 import Credentials
from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.retry import Backoff

_PROTOCOL = Protocol("dynamodb", "DynamoDB_20120810", "1.0")

_BACKOFF = Backoff()

BATCH_KEYS = 100
"""The most keys that one BatchGetItem takes."""


class DynamoDB:
    """Strongly consistent reads of whole items.

    `endpoint` is `http[s]://HOST[:PORT]`, or None for the region's own. A deadline is a moment of time.monotonic().
    All calls raise StoreUnavailableError where no complete answer came in time, AWSError where the request was refused.
    """

    def __init__(
        self, endpoint: str | None, region: str, credentials_provider: Callable[[], Credentials], http: HttpClient
    ) -> None:
        self._service = JsonService(_PROTOCOL, endpoint, region, credentials_provider, http)

    def get_item(self, table: str, key: Mapping[str, Any], deadline: float) -> Item | None:
        """The item under `key`; None where there is none."""
        question = {"TableName": table, "Key": encode_item(key), "ConsistentRead": True}
        answer = self._service.ask("GetItem", question, deadline)
        return decode_item(answer["Item"]) if "Item" in answer else None

    def batch_get_items(self, table: str, keys: Sequence[Mapping[str, Any]], deadline: float) -> list[Item]:
        """The items that exist under `keys`, in no order; never only a part of them.

        The keys differ from each other, as DynamoDB demands. More than 100 are asked for in parallel calls. Each item
        is read by itself: together they are no snapshot.
        """
        encoded = [encode_item(key) for key in keys]
        batches = [encoded[start : start + BATCH_KEYS] for start in range(0, len(encoded), BATCH_KEYS)]
        if len(batches) < 2:
            return self._batch(table, batches[0], deadline) if batches else []
        # Imported where it is needed: most tables have fewer selector shapes than one call takes keys.
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(len(batches)) as threads:
            answers = threads.map(lambda batch: self._batch(table, batch, deadline), batches)
            return [item for answer in answers for item in answer]

    def _batch(self, table: str, keys: list[dict[str, Any]], deadline: float) -> list[Item]:
        items: list[Item] = []
        attempt = 0
        while keys:
            question = {"RequestItems": {table: {"Keys": keys, "ConsistentRead": True}}}
            answer = self._service.ask("BatchGetItem", question, deadline)
            items += map(decode_item, answer["Responses"].get(table, ()))
            unprocessed = answer.get("UnprocessedKeys", {}).get(table)
            keys = unprocessed["Keys"] if unprocessed else []
            attempt += 1
            if keys and not _BACKOFF.wait(attempt, deadline):
                raise StoreUnavailableError(
                    f"{len(keys)} keys of {table!r} were still unprocessed after {attempt} calls"
                )
        return items
