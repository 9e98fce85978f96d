"""Leases in the table: one sync of an image source at a time, wherever it runs.

A lease is renewed while its holder lives, and expires after the holder is killed. Its token fences: a sync that lost
its lease publishes nothing (see `aws.releases.store`).
"""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lambda_matchbox.aws.clients.boto3_errors import translated
from lambda_matchbox.aws.clients.dynamodb_json import encode_item
from lambda_matchbox.aws.clients.store_clients import StoreClients
from lambda_matchbox.aws.keys import KEY, sync_key
from lambda_matchbox.releases.store import BusyError

LEASE_SECONDS = 30.0
"""The lifetime of a lease that is not renewed; the clocks of hosts that sync one source must differ by less."""

_RENEWALS = 3
_CONDITION_FAILED = "ConditionalCheckFailedException"


class SyncLeases:
    """Leases of one source; `seconds` is the lifetime without renewal."""

    def __init__(self, clients: StoreClients, source_id: str, seconds: float = LEASE_SECONDS) -> None:
        self._client = clients.dynamodb
        self._table = clients.table
        self._source_id = source_id
        self._seconds = seconds

    @contextmanager
    def lease(self) -> Iterator[str]:
        """Hold a lease; yields its token. Raises BusyError, StoreUnavailableError and AWSError."""
        token = uuid.uuid4().hex
        with translated():
            self._acquire(token)
        ended = Event()
        renewal = Thread(target=self._renew, args=(token, ended), daemon=True)
        renewal.start()
        try:
            yield token
        finally:
            ended.set()
            renewal.join()
            self._release(token)

    def condition(self, token: str) -> dict[str, Any]:
        """A condition of a transaction: the lease is still held with this token."""
        return {
            "TableName": self._table,
            "Key": encode_item({KEY: sync_key(self._source_id)}),
            "ConditionExpression": "#lease = :token",
            "ExpressionAttributeNames": {"#lease": "lease"},
            "ExpressionAttributeValues": encode_item({":token": token}),
        }

    def _acquire(self, token: str) -> None:
        now = time.time()
        try:
            # The own token: boto3 retries where a response was lost.
            self._update(
                "SET #lease = :token, #until = :until",
                "attribute_not_exists(#lease) OR #until < :now OR #lease = :token",
                {":token": token, ":until": self._expiry(now), ":now": int(now * 1000)},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != _CONDITION_FAILED:
                raise
            raise BusyError(f"another sync of {self._source_id!r} is running") from error

    def _renew(self, token: str, ended: Event) -> None:
        while not ended.wait(self._seconds / _RENEWALS):
            try:
                self._update(
                    "SET #until = :until", "#lease = :token", {":token": token, ":until": self._expiry(time.time())}
                )
            except ClientError as error:
                if error.response["Error"]["Code"] == _CONDITION_FAILED:
                    # The lease is lost: the transaction that publishes will fail.
                    return
            except BotoCoreError:
                # The table may be available again before the lease expires.
                continue

    def _release(self, token: str) -> None:
        try:
            self._update("REMOVE #lease, #until", "#lease = :token", {":token": token})
        except (ClientError, BotoCoreError):
            # It expires.
            return

    def _update(self, expression: str, condition: str, values: dict[str, Any]) -> None:
        names = {name: name.lstrip("#") for name in ("#lease", "#until") if name in expression + condition}
        self._client.update_item(
            TableName=self._table,
            Key=encode_item({KEY: sync_key(self._source_id)}),
            UpdateExpression=expression,
            ConditionExpression=condition,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=encode_item(values),
        )

    def _expiry(self, now: float) -> int:
        return int((now + self._seconds) * 1000)
