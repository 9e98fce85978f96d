"""The releases of an image source: pointers in the table, files in the bucket (see `releases.store`)."""

import base64
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from lambda_matchbox.aws.clients.boto3_errors import translated
from lambda_matchbox.aws.clients.dynamodb_json import decode_item, encode_item
from lambda_matchbox.aws.clients.errors import AWSError
from lambda_matchbox.aws.layout import CHECKED, KEY, POINTERS, RELEASES_PREFIX, release_prefix, source_name, sync_key
from lambda_matchbox.aws.releases.lease import LEASE_SECONDS, SyncLeases
from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.releases.pointers import Pointer, pointer_in, pointer_text
from lambda_matchbox.releases.store import LeaseLostError, MovedError, ReleaseFile, ReleaseStoreError

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_s3 import S3Client

_ABSENT = ("404", "NoSuchKey")
_REFUSED = "ConditionalCheckFailed"
_MOVE_SECONDS = 10.0
_PAUSE = 0.1


class TableReleaseStore:
    """The store of one source, with boto3 clients; for one thread."""

    def __init__(
        self,
        client: "DynamoDBClient",
        s3: "S3Client",
        table: str,
        bucket: str,
        source_id: str,
        *,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self._client = client
        self._s3 = s3
        self._table = table
        self._bucket = bucket
        self._source_id = source_id
        self._attribute = source_name(source_id)
        self._leases = SyncLeases(client, table, source_id, lease_seconds)

    def pointer(self) -> Pointer | None:
        """What is served now."""
        text = self._item(POINTERS).get(self._attribute)
        pointer = None if text is None else pointer_in(text)
        if text is not None and pointer is None:
            raise ReleaseStoreError(
                f"the table's pointer of {self._source_id!r} is damaged: `matchboxctl fsck --repair`"
            )
        return pointer

    def move(self, old: Pointer | None, new: Pointer | None, lease: str | None = None) -> None:
        """Serve `new` from now on, in one transaction with the conditions."""
        actions: list[Any] = [{"Update": self._update(old, new)}]
        if lease is not None:
            actions.append({"ConditionCheck": self._leases.condition(lease)})
        end = time.monotonic() + _MOVE_SECONDS
        while True:
            try:
                with translated():
                    self._client.transact_write_items(TransactItems=actions)
                return
            except AWSError as error:
                cause = error.__cause__
                if not isinstance(cause, self._client.exceptions.TransactionCanceledException):
                    raise
                reasons = [str(reason.get("Code")) for reason in cause.response.get("CancellationReasons", [])]
                if reasons[:1] == [_REFUSED]:
                    raise MovedError(f"another command moved the pointer of {self._source_id!r}") from error
                if reasons[1:] == [_REFUSED]:
                    raise LeaseLostError(f"another sync of {self._source_id!r} has begun meanwhile") from error
                # Another source's pointer is being moved: all are one item.
                if time.monotonic() >= end:
                    raise StoreUnavailableError(f"the pointers cannot be written: {', '.join(reasons)}") from error
                time.sleep(_PAUSE)

    def lease(self) -> AbstractContextManager[str]:
        """The right to publish."""
        return self._leases.lease()

    def checked(self) -> int | None:
        """When the source was last found up to date."""
        moment = self._item(sync_key(self._source_id)).get(CHECKED)
        return moment if isinstance(moment, int) else None

    def note_checked(self, moment: int) -> None:
        """Remember it."""
        with translated():
            self._client.update_item(
                TableName=self._table,
                Key=encode_item({KEY: sync_key(self._source_id)}),
                UpdateExpression="SET #checked = :checked",
                ExpressionAttributeNames={"#checked": CHECKED},
                ExpressionAttributeValues=encode_item({":checked": moment}),
            )

    def directories(self) -> set[str]:
        """The directories that have objects."""
        above = f"{RELEASES_PREFIX}{self._source_id}/"
        with translated():
            pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=above, Delimiter="/")
            found = [common["Prefix"] for page in pages for common in page.get("CommonPrefixes", ())]
        return {prefix.removeprefix(above).rstrip("/") for prefix in found}

    def sizes(self, directory: str) -> Mapping[str, int]:
        """The bytes of each object."""
        prefix = self._key(directory, "")
        with translated():
            pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
            listed = [found for page in pages for found in page.get("Contents", ())]
        return {found["Key"].removeprefix(prefix): found["Size"] for found in listed}

    def put(self, directory: str, name: str, file: ReleaseFile) -> None:
        """Put it in one request, whose SHA-256 S3 verifies and keeps: that of a multipart upload is of its parts."""
        with translated(), file.file.open("rb") as body:
            self._s3.put_object(
                Bucket=self._bucket,
                Key=self._key(directory, name),
                Body=body,
                ContentType=file.content_type,
                ChecksumSHA256=base64.b64encode(bytes.fromhex(file.sha256)).decode(),
            )

    def copy(self, directory: str, name: str, origin_directory: str, origin_name: str, sha256: str) -> bool:
        """Copy the object inside the bucket, which tells the SHA-256 of what it copied."""
        try:
            with translated():
                copied = self._s3.copy_object(
                    Bucket=self._bucket,
                    Key=self._key(directory, name),
                    CopySource={"Bucket": self._bucket, "Key": self._key(origin_directory, origin_name)},
                    ChecksumAlgorithm="SHA256",
                )
        except AWSError as error:
            if error.code in _ABSENT:
                return False
            raise
        return copied["CopyObjectResult"].get("ChecksumSHA256") == base64.b64encode(bytes.fromhex(sha256)).decode()

    def read(self, directory: str, name: str) -> bytes | None:
        """The object's bytes."""
        try:
            with translated():
                return self._s3.get_object(Bucket=self._bucket, Key=self._key(directory, name))["Body"].read()
        except AWSError as error:
            if error.code in _ABSENT:
                return None
            raise

    def discard(self, directory: str) -> None:
        """Delete the objects; what an interruption leaves is found again by `directories`."""
        for name in self.sizes(directory):
            with translated():
                self._s3.delete_object(Bucket=self._bucket, Key=self._key(directory, name))

    def _key(self, directory: str, name: str) -> str:
        return release_prefix(self._source_id, directory) + name

    def _item(self, key: str) -> dict[str, Any]:
        with translated():
            answer = self._client.get_item(TableName=self._table, Key=encode_item({KEY: key}), ConsistentRead=True)
        return decode_item(answer.get("Item", {}))

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
