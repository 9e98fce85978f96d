"""The release store in table and bucket (see `releases.store`)."""

import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from itertools import count
from typing import Any

from lambda_matchbox.aws.clients.dynamodb import CancelledError, update
from lambda_matchbox.aws.clients.errors import AWSError
from lambda_matchbox.aws.clients.light_clients import CALL_SECONDS, FILE_SECONDS, LightClients
from lambda_matchbox.aws.clients.request_deadline import deadline_within
from lambda_matchbox.aws.clients.s3 import checksum
from lambda_matchbox.aws.keys import CHECKED, KEY, POINTERS, RELEASES_PREFIX, release_prefix, source_name, sync_key
from lambda_matchbox.aws.releases.copies import ReleaseCopies
from lambda_matchbox.aws.releases.lease import LEASE_SECONDS, SyncLeases
from lambda_matchbox.backoff import Backoff
from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.releases.pointers import Pointer, pointer_in, pointer_text
from lambda_matchbox.releases.store import CopiesError, LeaseLostError, MovedError, ReleaseFile, ReleaseStoreError

_CONDITION_FAILED = "ConditionalCheckFailed"
_MOVE_SECONDS = 10.0
_MAX_READ = 64 << 20


class TableReleaseStore:
    """The releases of one source: the pointer in the table, files in the bucket."""

    def __init__(
        self,
        clients: LightClients,
        source_id: str,
        *,
        lease_seconds: float = LEASE_SECONDS,
        copies: ReleaseCopies | None = None,
    ) -> None:
        self._clients = clients
        self._copies = copies or ReleaseCopies(clients)
        self._s3 = clients.s3
        self._source_id = source_id
        self._attribute = source_name(source_id)
        self._leases = SyncLeases(clients, source_id, lease_seconds)

    def pointer(self) -> Pointer | None:
        """The pointer as it is now."""
        text = self._clients.item(POINTERS).get(self._attribute)
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
                self._clients.dynamodb.transact(actions, deadline_within(CALL_SECONDS))
                return
            except CancelledError as error:
                reasons = error.reasons
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
        moment = self._clients.item(sync_key(self._source_id)).get(CHECKED)
        return moment if isinstance(moment, int) else None

    def note_checked(self, moment: int) -> None:
        """Record it."""
        self._clients.update(
            sync_key(self._source_id), "SET #checked = :checked", {"#checked": CHECKED}, {":checked": moment}
        )

    def directories(self) -> Mapping[str, Mapping[str, int]]:
        """The sizes of all objects, by directory."""
        above = f"{RELEASES_PREFIX}{self._source_id}/"
        sizes: dict[str, dict[str, int]] = {}
        for found in self._clients.objects(above):
            directory, slash, name = found.key.removeprefix(above).partition("/")
            if slash:
                sizes.setdefault(directory, {})[name] = found.size
        return sizes

    def sizes(self, directory: str) -> Mapping[str, int]:
        """The sizes of the objects."""
        prefix = self._key(directory, "")
        return {found.key.removeprefix(prefix): found.size for found in self._clients.objects(prefix)}

    def put(self, directory: str, name: str, file: ReleaseFile) -> None:
        """Put the file; its digest, which is known, is that of signature and checksum."""
        self._clients.files.put_file(
            self._key(directory, name),
            file.file,
            file.size,
            file.sha256,
            file.content_type,
            deadline_within(FILE_SECONDS),
        )

    def copy(self, directory: str, name: str, origin_directory: str, origin_name: str, sha256: str) -> bool:
        """Copy the object within the bucket; S3 returns the SHA-256 of the copy."""
        key, origin = self._key(directory, name), self._key(origin_directory, origin_name)
        try:
            copied = self._clients.files.copy(
                key, origin, {"X-Amz-Checksum-Algorithm": "SHA256"}, deadline_within(FILE_SECONDS)
            )
        except AWSError as error:
            if error.code == "NoSuchKey":
                return False
            raise
        return copied == checksum(sha256)

    def read(self, directory: str, name: str) -> bytes | None:
        """The object's content."""
        return self._s3.get(self._key(directory, name), 0, _MAX_READ, deadline_within(CALL_SECONDS))

    def discard(self, directory: str) -> None:
        """Delete the objects; after an interruption `directories` still lists the rest."""
        for name in self.sizes(directory):
            self._s3.delete(self._key(directory, name), deadline_within(CALL_SECONDS))

    def _key(self, directory: str, name: str) -> str:
        return release_prefix(self._source_id, directory) + name

    def _update(self, old: Pointer | None, new: Pointer | None) -> dict[str, Any]:
        values = {} if new is None else {":new": pointer_text(new)}
        if old is not None:
            values[":old"] = pointer_text(old)
        return update(
            self._clients.table,
            {KEY: POINTERS},
            "REMOVE #source" if new is None else "SET #source = :new",
            {"#source": self._attribute},
            values,
            "attribute_not_exists(#source)" if old is None else "#source = :old",
        )
