"""Writes of groups, profiles and templates while machines boot."""

import time
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from lambda_matchbox.aws.catalog.items import (
    Record,
    group_fields,
    group_record,
    profile_record,
    selectors_in,
    template_record,
)
from lambda_matchbox.aws.catalog.table_writes import RETRY_SECONDS, TableWrites, unchanged
from lambda_matchbox.aws.clients.dynamodb_json import decode_item, encode_item
from lambda_matchbox.aws.clients.store_clients import StoreClients
from lambda_matchbox.aws.keys import KEY, Attribute, entry_key, group_key, profile_key, selector_text, template_key
from lambda_matchbox.aws.token_keys import make_first_key
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.catalog.selection import Selector, keys_of, selectors_of


class CatalogWriter:
    """Writes the catalog; the last writer wins, as with matchbox.

    Meanwhile a machine gets the response from before a write or from after it. All methods raise StoreUnavailableError
    if others keep writing the same for `retry_seconds` (0: no retry), and let other errors of the clients through.
    """

    def __init__(self, clients: StoreClients, *, retry_seconds: float = RETRY_SECONDS) -> None:
        self._writes = TableWrites(clients, retry_seconds)
        self._s3 = clients.s3
        self._bucket = clients.bucket
        self._last_tombstone = 0

    def put_group(self, group: Group) -> None:
        """Add the group, or replace the one of that id. Raises UnwritableError."""
        if group.boot is not None and group.boot.token:
            make_first_key(self._writes.client, self._writes.table, int(time.time()))
        shape = keys_of(group.selector)
        record = group_record(group, uuid.uuid4().hex)
        self._put_objects(record)
        what = f"group {group.id!r}"
        self._writes.persist(what, lambda: self._writes.name_shape(shape))
        self._writes.persist(what, lambda: self._replace(group, record.item))
        # If that took long, fsck may have marked the shape as unused.
        self._writes.persist(what, lambda: self._writes.name_shape(shape))
        self._restore_objects(record)

    def delete_group(self, group_id: str) -> bool:
        """Delete the group; False if it does not exist."""
        key = group_key(group_id)
        return key is not None and self._writes.persist(f"group {group_id!r}", lambda: self._remove(group_id, key))

    def put_profile(self, profile: Profile) -> None:
        """Add the profile, or replace the one of that id. Raises UnwritableError."""
        self._put(f"profile {profile.id!r}", profile_record(profile))

    def delete_profile(self, profile_id: str) -> bool:
        """Delete the profile; False if it does not exist."""
        return self._delete(f"profile {profile_id!r}", profile_key(profile_id))

    def put_template(self, kind: str, template_id: str, body: bytes) -> None:
        """Add the template, or replace the one of that kind and id. Raises UnwritableError."""
        self._put(f"{kind} template {template_id!r}", template_record(kind, template_id, body))

    def delete_template(self, kind: str, template_id: str) -> bool:
        """Delete the template; False if it does not exist."""
        return self._delete(f"{kind} template {template_id!r}", template_key(kind, template_id))

    def _put(self, what: str, record: Record) -> None:
        self._put_objects(record)
        self._writes.persist(
            what, lambda: self._writes.client.put_item(TableName=self._writes.table, Item=encode_item(record.item))
        )
        self._restore_objects(record)

    def _put_objects(self, record: Record) -> None:
        for key, body in record.objects.items():
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=body)

    def _restore_objects(self, record: Record) -> None:
        """Put objects again that fsck deleted as unused before the item named them."""
        for key, body in record.objects.items():
            try:
                self._s3.head_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                if error.response["Error"]["Code"] not in ("404", "NoSuchKey"):
                    raise
                self._s3.put_object(Bucket=self._bucket, Key=key, Body=body)

    def _delete(self, what: str, key: str | None) -> bool:
        if key is None:
            return False
        answer = self._writes.persist(
            what,
            lambda: self._writes.client.delete_item(
                TableName=self._writes.table, Key=encode_item({KEY: key}), ReturnValues="ALL_OLD"
            ),
        )
        return "Attributes" in answer

    def _replace(self, group: Group, item: Mapping[str, Attribute]) -> None:
        old = self._writes.read(str(item[KEY]))
        put: Any = {"TableName": self._writes.table, "Item": encode_item(item), **unchanged(old)}
        selectors = selectors_of(group.selector)
        actions: list[Any] = [{"Put": put}]
        actions += [{"Update": self._member(selector, group.id, {"S": group.profile})} for selector in selectors]
        if old is not None:
            kept = set(selectors)
            # If the old group cannot be read, fsck finds the entries that still name it.
            fields = group_fields(decode_item(old))
            before = fields.selectors if fields else []
            actions += self._tombstones(group.id, [one for one in before if one not in kept])
        self._writes.client.transact_write_items(TransactItems=actions)

    def _remove(self, group_id: str, key: str) -> bool:
        old = self._writes.read(key)
        if old is None:
            return False
        delete: Any = {"TableName": self._writes.table, "Key": encode_item({KEY: key}), **unchanged(old)}
        actions: list[Any] = [{"Delete": delete}, *self._tombstones(group_id, selectors_in(decode_item(old)))]
        self._writes.client.transact_write_items(TransactItems=actions)
        return True

    def _tombstones(self, group_id: str, selectors: Iterable[Selector]) -> list[Any]:
        """The updates that leave tombstones in the entries of these selectors."""
        return [{"Update": self._member(selector, group_id, self._tombstone())} for selector in selectors]

    def _member(self, selector: Selector, group_id: str, value: Mapping[str, str]) -> dict[str, Any]:
        return self._writes.member(entry_key(selector), selector_text(selector), group_id, value)

    def _tombstone(self) -> dict[str, str]:
        """The time in nanoseconds, never twice the same."""
        self._last_tombstone = max(self._last_tombstone + 1, time.time_ns())
        return {"N": str(self._last_tombstone)}
