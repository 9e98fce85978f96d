"""The release store in table and bucket (see `releases.store`)."""

import base64
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from itertools import count
from typing import Any

from lambda_matchbox.aws.clients.boto3_errors import translated
from lambda_matchbox.aws.clients.dynamodb_json import decode_item, encode_item
from lambda_matchbox.aws.clients.errors import AWSError
from lambda_matchbox.aws.clients.store_clients import StoreClients
from lambda_matchbox.aws.keys import CHECKED, KEY, POINTERS, RELEASES_PREFIX, release_prefix, source_name, sync_key
from lambda_matchbox.aws.releases.copies import ReleaseCopies
from lambda_matchbox.aws.releases.lease import LEASE_SECONDS, SyncLeases
from lambda_matchbox.backoff import Backoff
from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.releases.pointers import Pointer, pointer_in, pointer_text
from lambda_matchbox.releases.store import CopiesError, LeaseLostError, MovedError, ReleaseFile, ReleaseStoreError

_NOT_FOUND = ("404", "NoSuchKey")
_CONDITION_FAILED = "ConditionalCheckFailed"
_MOVE_SECONDS = 10.0


class TableReleaseStore:
    """The releases of one source: the pointer in the table, files in the bucket; for one thread."""

    def __init__(
        self,
        clients: StoreClients,
        source_id: str,
        *,
        lease_seconds: float = LEASE_SECONDS,
        copies: ReleaseCopies | None = None,
    ) -> None:
        self._clients = clients
        self._copies = copies or ReleaseCopies(clients)
        self._client, self._s3, self._table, self._bucket = clients
        self._source_id = source_id
        self._attribute = source_name(source_id)
        self._leases = SyncLeases(clients, source_id, lease_seconds)

    def pointer(self) -> Pointer | None:
        """The pointer as it is now."""
        text = self._item(POINTERS).get(self._attribute)
        pointer = None if text is None else pointer_in(text)
        if text is not None and pointer is None:
            raise ReleaseStoreError(
                f"the pointer of {self._source_id!r} in the table is damaged; run `matchboxctl fsck --repair`"
            )
        return pointer

    def move(self, old: Pointer | None, new: Pointer | None, lease: str | None = None) -> None:
        """Replace the pointer, in one transaction with the conditions; the copies of its releases around it."""
        if new is not None:
            self._copies.prepare(self._source_id, new)
        self._write(old, new, lease)
        try:
            self._copies.complete()
        except (AWSError, StoreUnavailableError) as error:
            raise CopiesError(
                f"not all copies for CloudFront are made: {error}; asset_sync's next run makes them, or "
                "`matchboxctl fsck --repair` now"
            ) from error

    def _write(self, old: Pointer | None, new: Pointer | None, lease: str | None) -> None:
        actions: list[Any] = [{"Update": self._update(old, new)}]
        if lease is not None:
            actions.append({"ConditionCheck": self._leases.condition(lease)})
        deadline = time.monotonic() + _MOVE_SECONDS
        for attempt in count(1):
            try:
                with translated():
                    self._client.transact_write_items(TransactItems=actions)
                return
            except AWSError as error:
                cause = error.__cause__
                if not isinstance(cause, self._client.exceptions.TransactionCanceledException):
                    raise
                reasons = [str(reason.get("Code")) for reason in cause.response.get("CancellationReasons", [])]
                if reasons[:1] == [_CONDITION_FAILED]:
                    raise MovedError(f"another command moved the pointer of {self._source_id!r}") from error
                if reasons[1:] == [_CONDITION_FAILED]:
                    raise LeaseLostError(f"another sync of {self._source_id!r} has begun") from error
                # Another source's pointer is being written: all are in one item.
                if not Backoff().wait(attempt, deadline):
                    raise StoreUnavailableError(f"cannot write the pointers: {', '.join(reasons)}") from error

    def lease(self) -> AbstractContextManager[str]:
        """The lease of this source."""
        return self._leases.lease()

    def checked(self) -> int | None:
        """When the source was last up to date."""
        moment = self._item(sync_key(self._source_id)).get(CHECKED)
        return moment if isinstance(moment, int) else None

    def note_checked(self, moment: int) -> None:
        """Record it."""
        with translated():
            self._client.update_item(
                TableName=self._table,
                Key=encode_item({KEY: sync_key(self._source_id)}),
                UpdateExpression="SET #checked = :checked",
                ExpressionAttributeNames={"#checked": CHECKED},
                ExpressionAttributeValues=encode_item({":checked": moment}),
            )

    def directories(self) -> set[str]:
        """The directories with objects."""
        above = f"{RELEASES_PREFIX}{self._source_id}/"
        with translated():
            pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=above, Delimiter="/")
            found = [common["Prefix"] for page in pages for common in page.get("CommonPrefixes", ())]
        return {prefix.removeprefix(above).rstrip("/") for prefix in found}

    def sizes(self, directory: str) -> Mapping[str, int]:
        """The sizes of the objects."""
        prefix = self._key(directory, "")
        with translated():
            return {found["Key"].removeprefix(prefix): found["Size"] for found in self._clients.objects(prefix)}

    def put(self, directory: str, name: str, file: ReleaseFile) -> None:
        """Put the file in one request: of a multipart upload S3 would verify only the checksums of its parts."""
        with translated(), file.file.open("rb") as body:
            self._s3.put_object(
                Bucket=self._bucket,
                Key=self._key(directory, name),
                Body=body,
                ContentType=file.content_type,
                ChecksumSHA256=base64.b64encode(bytes.fromhex(file.sha256)).decode(),
            )

    def copy(self, directory: str, name: str, origin_directory: str, origin_name: str, sha256: str) -> bool:
        """Copy the object within the bucket; S3 returns the SHA-256 of the copy."""
        try:
            with translated():
                copied = self._s3.copy_object(
                    Bucket=self._bucket,
                    Key=self._key(directory, name),
                    CopySource={"Bucket": self._bucket, "Key": self._key(origin_directory, origin_name)},
                    ChecksumAlgorithm="SHA256",
                )
        except AWSError as error:
            if error.code in _NOT_FOUND:
                return False
            raise
        return copied["CopyObjectResult"].get("ChecksumSHA256") == base64.b64encode(bytes.fromhex(sha256)).decode()

    def read(self, directory: str, name: str) -> bytes | None:
        """The object's content."""
        try:
            with translated():
                return self._s3.get_object(Bucket=self._bucket, Key=self._key(directory, name))["Body"].read()
        except AWSError as error:
            if error.code in _NOT_FOUND:
                return None
            raise

    def discard(self, directory: str) -> None:
        """Delete the objects; after an interruption `directories` still lists the rest."""
        for name in self.sizes(directory):
            with translated():
                self._s3.delete_object(Bucket=self._bucket, Key=self._key(directory, name))

    def _key(self, directory: str, name: str) -> str:
        return release_prefix(self._source_id, directory) + name

    def _item(self, key: str) -> dict[str, Any]:
        with translated():
            response = self._client.get_item(TableName=self._table, Key=encode_item({KEY: key}), ConsistentRead=True)
        return decode_item(response.get("Item", {}))

    def _update(self, old: Pointer | None, new: Pointer | None) -> dict[str, Any]:
        values = {} if new is None else {":new": pointer_text(new)}
        if old is not None:
            values[":old"] = pointer_text(old)
        made: dict[str, Any] = {
            "TableName": self._table,
            "Key": encode_item({KEY: POINTERS}),
            "UpdateExpression": "REMOVE #source" if new is None else "SET #source = :new",
            "ConditionExpression": "attribute_not_exists(#source)" if old is None else "#source = :old",
            "ExpressionAttributeNames": {"#source": self._attribute},
        }
        return made | ({"ExpressionAttributeValues": encode_item(values)} if values else {})
