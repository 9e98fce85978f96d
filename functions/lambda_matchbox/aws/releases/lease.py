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

from lambda_matchbox.aws.clients.dynamodb import ConditionFailedError
from lambda_matchbox.aws.clients.dynamodb_json import encode_item
from lambda_matchbox.aws.clients.errors import AWSError
from lambda_matchbox.aws.clients.light_clients import LightClients
from lambda_matchbox.aws.keys import KEY, sync_key
from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.releases.store import BusyError

LEASE_SECONDS = 30.0
"""The lifetime of a lease that is not renewed; the clocks of hosts that sync one source must differ by less."""

_RENEWALS = 3


class SyncLeases:
    """Leases of one source; `seconds` is the lifetime without renewal."""

    def __init__(self, clients: LightClients, source_id: str, seconds: float = LEASE_SECONDS) -> None:
        self._clients = clients
        self._source_id = source_id
        self._seconds = seconds

    @contextmanager
    def lease(self) -> Iterator[str]:
        """Hold a lease; yields its token. Raises BusyError, StoreUnavailableError and AWSError."""
        token = uuid.uuid4().hex
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
            "TableName": self._clients.table,
            "Key": encode_item({KEY: sync_key(self._source_id)}),
            "ConditionExpression": "#lease = :token",
            "ExpressionAttributeNames": {"#lease": "lease"},
            "ExpressionAttributeValues": encode_item({":token": token}),
        }

    def _acquire(self, token: str) -> None:
        now = time.time()
        try:
            # The own token: a call is repeated where a response was lost.
            self._update(
                "SET #lease = :token, #until = :until",
                "attribute_not_exists(#lease) OR #until < :now OR #lease = :token",
                {":token": token, ":until": self._expiry(now), ":now": int(now * 1000)},
            )
        except ConditionFailedError as error:
            raise BusyError(f"another sync of {self._source_id!r} is running") from error

    def _renew(self, token: str, ended: Event) -> None:
        while not ended.wait(self._seconds / _RENEWALS):
            try:
                self._update(
                    "SET #until = :until", "#lease = :token", {":token": token, ":until": self._expiry(time.time())}
                )
            except ConditionFailedError:
                # The lease is lost: the transaction that publishes will fail.
                return
            except (AWSError, StoreUnavailableError):
                # The table may be available again before the lease expires.
                continue

    def _release(self, token: str) -> None:
        try:
            self._update("REMOVE #lease, #until", "#lease = :token", {":token": token})
        except (ConditionFailedError, AWSError, StoreUnavailableError):
            # It expires.
            return

    def _update(self, expression: str, condition: str, values: dict[str, Any]) -> None:
        names = {name: name.lstrip("#") for name in ("#lease", "#until") if name in expression + condition}
        self._clients.update(sync_key(self._source_id), expression, names, values, condition)

    def _expiry(self, now: float) -> int:
        return int((now + self._seconds) * 1000)
