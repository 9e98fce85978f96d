"""Who may publish releases of an image source just now?

A lease lies in the table, since the syncs may run anywhere. It is renewed while its holder lives, and ends by itself
where the holder was killed. Its token fences: who lost it publishes nothing (see `aws.releases.store`).
"""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from lambda_matchbox.aws.clients.boto3_errors import translated
from lambda_matchbox.aws.clients.dynamodb_json import encode_item
from lambda_matchbox.aws.layout import KEY, sync_key
from lambda_matchbox.releases.store import BusyError

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

LEASE_SECONDS = 30.0
"""How long a lease outlives its holder: clocks of hosts that sync the same source differ by less."""

_RENEWALS = 3
_REFUSED = "ConditionalCheckFailedException"


class SyncLeases:
    """Leases of one source, with a boto3 client; `seconds` is how long one lasts without being renewed."""

    def __init__(self, client: "DynamoDBClient", table: str, source_id: str, seconds: float = LEASE_SECONDS) -> None:
        self._client = client
        self._table = table
        self._source_id = source_id
        self._seconds = seconds

    @contextmanager
    def lease(self) -> Iterator[str]:
        """Hold a lease; its token. Raises BusyError, StoreUnavailableError and AWSError."""
        token = uuid.uuid4().hex
        with translated():
            self._take(token)
        ended = Event()
        renewing = Thread(target=self._keep, args=(token, ended), daemon=True)
        renewing.start()
        try:
            yield token
        finally:
            ended.set()
            renewing.join()
            self._give_back(token)

    def condition(self, token: str) -> dict[str, Any]:
        """The part of a transaction that refuses it where the lease is another's by now."""
        return {
            "TableName": self._table,
            "Key": encode_item({KEY: sync_key(self._source_id)}),
            "ConditionExpression": "#lease = :token",
            "ExpressionAttributeNames": {"#lease": "lease"},
            "ExpressionAttributeValues": encode_item({":token": token}),
        }

    def _take(self, token: str) -> None:
        now = time.time()
        try:
            # The own token: boto3 asks again where an answer was lost.
            self._update(
                "SET #lease = :token, #until = :until",
                "attribute_not_exists(#lease) OR #until < :now OR #lease = :token",
                {":token": token, ":until": self._end(now), ":now": int(now * 1000)},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != _REFUSED:
                raise
            raise BusyError(f"another sync of {self._source_id!r} is under way") from error

    def _keep(self, token: str, ended: Event) -> None:
        while not ended.wait(self._seconds / _RENEWALS):
            try:
                self._update(
                    "SET #until = :until", "#lease = :token", {":token": token, ":until": self._end(time.time())}
                )
            except ClientError as error:
                if error.response["Error"]["Code"] == _REFUSED:
                    # It is another's: the transaction that publishes will be refused.
                    return
            except BotoCoreError:
                # The table may answer again before the lease ends.
                continue

    def _give_back(self, token: str) -> None:
        try:
            self._update("REMOVE #lease, #until", "#lease = :token", {":token": token})
        except (ClientError, BotoCoreError):
            # Then it ends by itself.
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

    def _end(self, now: float) -> int:
        return int((now + self._seconds) * 1000)
