"""Which items does a table hold under these keys?"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aws_stores import sigv4
from aws_stores.dynamodb_json import Item, decode_item, encode_item
from aws_stores.http_client import HttpClient, back_off
from aws_stores.regional_hosts import regional_host
from aws_stores.sigv4 import Credentials
from matchbox.errors import StoreUnavailableError

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
        self._url = (endpoint or f"https://{regional_host('dynamodb', region)}").rstrip("/") + "/"
        self._region = region
        self._credentials = credentials_provider
        self._http = http

    def get_item(self, table: str, key: Mapping[str, Any], deadline: float) -> Item | None:
        """The item under `key`; None where there is none."""
        question = {"TableName": table, "Key": encode_item(key), "ConsistentRead": True}
        answer = self._ask("GetItem", question, deadline)
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
            answer = self._ask("BatchGetItem", question, deadline)
            items += map(decode_item, answer["Responses"].get(table, ()))
            unprocessed = answer.get("UnprocessedKeys", {}).get(table)
            keys = unprocessed["Keys"] if unprocessed else []
            attempt += 1
            if keys and not back_off(attempt, deadline):
                raise StoreUnavailableError(
                    f"{len(keys)} keys of {table!r} were still unprocessed after {attempt} calls"
                )
        return items

    def _ask(self, operation: str, question: Mapping[str, Any], deadline: float) -> dict[str, Any]:
        body = json.dumps(question, separators=(",", ":")).encode()
        headers = sigv4.sign_headers(
            "POST",
            self._url,
            {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"DynamoDB_20120810.{operation}"},
            body,
            credentials=self._credentials(),
            region=self._region,
            service="dynamodb",
            now=time.time(),
        )
        answer = self._http.request("POST", self._url, headers, body, deadline)
        content: dict[str, Any] = json.loads(answer.body)
        return content
