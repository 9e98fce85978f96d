"""How do groups, profiles and templates get into table and bucket, while machines ask?"""

import random
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from aws_stores.boto3_items import typed
from aws_stores.table import (
    KEY,
    LARGEST_ITEM,
    SHAPES,
    Attribute,
    Record,
    UnwritableError,
    entry_key,
    group_key,
    group_record,
    member_name,
    profile_key,
    profile_record,
    selector_in,
    selector_text,
    shape_name,
    template_key,
    template_record,
)
from matchbox.errors import StoreUnavailableError
from matchbox.groups import Group
from matchbox.profiles import Profile
from matchbox.selection import Selector, Shape, selector_of

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_s3 import S3Client

WRITE_TIME = 30.0
"""Seconds for which a write that meets others is tried again."""

TOMBSTONE_AGE = 300.0
"""Seconds after which no reader can have looked before a group moved; clocks may differ by some of them."""

SHAPE_TIME = 10.0
"""Seconds for which a shape that was named in SHAPES is taken to be there still: SHAPES is one item for all writers."""

_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 1.0
# An update has at most 300 operators and functions (DynamoDB's "Quotas", expressions).
_REMOVED_AT_ONCE = 200
_PASSING = frozenset(
    {
        "ConditionalCheckFailed",
        "ConditionalCheckFailedException",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "ThrottlingError",
        "ThrottlingException",
        "TransactionConflict",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)


class CatalogWriter:
    """Writes the catalogue with boto3 clients; the last writer wins, as with matchbox.

    A machine that asks meanwhile gets the answer from before a write or after it. All methods raise
    StoreUnavailableError where others kept writing the same for `write_time` seconds, and let other errors of the
    client through.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        s3: "S3Client",
        table: str,
        bucket: str,
        *,
        write_time: float = WRITE_TIME,
    ) -> None:
        self._client = client
        self._s3 = s3
        self._table = table
        self._bucket = bucket
        self._write_time = write_time
        self._shapes: dict[Shape, float] = {}
        self._last_tombstone = 0
        self._buried: set[str] = set()

    def put_group(self, group: Group) -> None:
        """Add the group, or replace the one of that id. Raises UnwritableError."""
        selector = selector_of(group.selector)
        record = group_record(group, uuid.uuid4().hex)
        self._put_objects(record)
        self._persist(f"group {group.id!r}", lambda: self._name_shape(selector.shape))
        self._persist(f"group {group.id!r}", lambda: self._replace(group, selector, record.item))

    def delete_group(self, group_id: str) -> bool:
        """Take the group out; False where it is not there."""
        key = group_key(group_id)
        return key is not None and self._persist(f"group {group_id!r}", lambda: self._remove(group_id, key))

    def put_profile(self, profile: Profile) -> None:
        """Add the profile, or replace the one of that id. Raises UnwritableError."""
        self._put(f"profile {profile.id!r}", profile_record(profile))

    def delete_profile(self, profile_id: str) -> bool:
        """Take the profile out; False where it is not there."""
        return self._delete(f"profile {profile_id!r}", profile_key(profile_id))

    def put_template(self, kind: str, template_id: str, body: bytes) -> None:
        """Add the template, or replace the one of that kind and id. Raises UnwritableError."""
        self._put(f"{kind} template {template_id!r}", template_record(kind, template_id, body))

    def delete_template(self, kind: str, template_id: str) -> bool:
        """Take the template out; False where it is not there."""
        return self._delete(f"{kind} template {template_id!r}", template_key(kind, template_id))

    def sweep(self, age: float = TOMBSTONE_AGE) -> None:
        """Clear the tombstones of this writer that are older than `age` seconds, and entries without groups."""
        self._sweep(list(self._buried), age)

    def sweep_table(self, age: float = TOMBSTONE_AGE) -> None:
        """As `sweep`, for the tombstones that any writer left; it scans the table."""
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._table,
            FilterExpression="begins_with(#pk, :entry)",
            ProjectionExpression="#pk",
            ExpressionAttributeNames={"#pk": KEY},
            ExpressionAttributeValues={":entry": {"S": "E#"}},
        )
        for page in pages:
            self._sweep([item[KEY]["S"] for item in page["Items"]], age)

    def _sweep(self, keys: Iterable[str], age: float) -> None:
        before = time.time_ns() - int(age * 1e9)
        for key in keys:
            if self._persist(f"entry {key}", partial(self._clear, key, before)):
                self._buried.discard(key)

    def _put(self, what: str, record: Record) -> None:
        self._put_objects(record)
        self._persist(what, lambda: self._client.put_item(TableName=self._table, Item=typed(record.item)))

    def _put_objects(self, record: Record) -> None:
        for key, body in record.objects.items():
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=body)

    def _delete(self, what: str, key: str | None) -> bool:
        if key is None:
            return False
        answer = self._persist(
            what,
            lambda: self._client.delete_item(TableName=self._table, Key=typed({KEY: key}), ReturnValues="ALL_OLD"),
        )
        return "Attributes" in answer

    def _persist(self, what: str, write: "Callable[[], Any]") -> Any:
        """What `write` returns, tried again where it met other writers or throttling."""
        end = time.monotonic() + self._write_time
        longest = _FIRST_PAUSE
        while True:
            try:
                return write()
            except ClientError as error:
                codes = _codes(error)
                if _is_too_large(error):
                    raise UnwritableError(
                        f"{what}: an item of this write would be over {LARGEST_ITEM} bytes (400 KB), DynamoDB's limit; "
                        "a selector's entry grows with each group that has this selector"
                    ) from error
                if not codes <= _PASSING:
                    raise
                if time.monotonic() + longest >= end:
                    raise StoreUnavailableError(f"{what}: {', '.join(codes)} for {self._write_time:g} s") from error
            # Random, so that writers who met do not meet again.
            time.sleep(random.uniform(0, longest))  # noqa: S311 - spread, not secrecy
            longest = min(2 * longest, _LONGEST_PAUSE)

    def _name_shape(self, shape: Shape) -> None:
        """Name the shape in SHAPES; without an entry that is harmless, and so it comes first.

        A mark that the shape is about to be taken out, as unused, goes with it.
        """
        now = time.monotonic()
        if now - self._shapes.get(shape, -SHAPE_TIME) < SHAPE_TIME:
            return
        self._client.update_item(
            TableName=self._table,
            Key=typed({KEY: SHAPES}),
            UpdateExpression="SET #shape = :in_use",
            ExpressionAttributeNames={"#shape": shape_name(shape)},
            ExpressionAttributeValues={":in_use": {"M": {}}},
        )
        self._shapes[shape] = now

    def _replace(self, group: Group, selector: Selector, item: Mapping[str, Attribute]) -> None:
        old = self._read(str(item[KEY]))
        put: Any = {"TableName": self._table, "Item": typed(item), **_unchanged(old)}
        actions: list[Any] = [
            {"Put": put},
            self._member(selector, group.id, {"S": group.profile}),
        ]
        if old is not None:
            before = selector_in({"doc": old["doc"]["S"]})
            if before != selector:
                actions.append(self._member(before, group.id, self._tombstone(before)))
        self._client.transact_write_items(TransactItems=actions)

    def _remove(self, group_id: str, key: str) -> bool:
        old = self._read(key)
        if old is None:
            return False
        before = selector_in({"doc": old["doc"]["S"]})
        delete: Any = {"TableName": self._table, "Key": typed({KEY: key}), **_unchanged(old)}
        burial = self._member(before, group_id, self._tombstone(before))
        self._client.transact_write_items(TransactItems=[{"Delete": delete}, burial])
        return True

    def _member(self, selector: Selector, group_id: str, value: Mapping[str, str]) -> Any:
        """The update of a selector's entry that says what has become of the group there."""
        return {
            "Update": {
                "TableName": self._table,
                "Key": typed({KEY: entry_key(selector)}),
                "UpdateExpression": "SET #group = :value, #s = :s ADD #v :one",
                "ExpressionAttributeNames": {"#group": member_name(group_id), "#s": "s", "#v": "v"},
                "ExpressionAttributeValues": {
                    ":value": value,
                    ":s": {"S": selector_text(selector)},
                    ":one": {"N": "1"},
                },
            }
        }

    def _tombstone(self, selector: Selector) -> dict[str, str]:
        """The time in nanoseconds, never the same twice."""
        self._buried.add(entry_key(selector))
        self._last_tombstone = max(self._last_tombstone + 1, time.time_ns())
        return {"N": str(self._last_tombstone)}

    def _clear(self, key: str, before: int) -> bool:
        """Remove the entry's tombstones from before that time, or the entry; whether no tombstone is left in it."""
        entry = self._read(key)
        if entry is None:
            return True
        members = {name: value for name, value in entry.items() if name.startswith(member_name(""))}
        tombstones = {name: int(value["N"]) for name, value in members.items() if "N" in value}
        old = [name for name, moment in tombstones.items() if moment < before]
        if not old:
            return not tombstones
        # An entry that was deleted and written anew counts `v` from 1 again, but has no tombstone of this value.
        condition: Any = {
            "Key": typed({KEY: key}),
            "ConditionExpression": "#v = :seen AND #t0 = :t0",
            "ExpressionAttributeNames": {"#v": "v", "#t0": old[0]},
            "ExpressionAttributeValues": {":seen": entry["v"], ":t0": entry[old[0]]},
        }
        if len(old) == len(members):
            self._client.delete_item(TableName=self._table, **condition)
            return True
        names = {f"#t{number}": name for number, name in enumerate(old[:_REMOVED_AT_ONCE])}
        condition["ExpressionAttributeNames"] |= names
        condition["ExpressionAttributeValues"][":one"] = {"N": "1"}
        removal = f"REMOVE {', '.join(names)} ADD #v :one"
        self._client.update_item(TableName=self._table, UpdateExpression=removal, **condition)
        return self._clear(key, before)

    def _read(self, key: str) -> dict[str, Any] | None:
        answer = self._client.get_item(TableName=self._table, Key=typed({KEY: key}), ConsistentRead=True)
        return answer.get("Item")


def _unchanged(old: Mapping[str, Any] | None) -> dict[str, Any]:
    """The condition that the group is still as it was read."""
    if old is None:
        return {"ConditionExpression": "attribute_not_exists(#pk)", "ExpressionAttributeNames": {"#pk": KEY}}
    return {
        "ConditionExpression": "#rev = :rev",
        "ExpressionAttributeNames": {"#rev": "rev"},
        "ExpressionAttributeValues": {":rev": old["rev"]},
    }


def _codes(error: ClientError) -> set[str]:
    """Why DynamoDB refused; of a transaction the reasons of its actions."""
    reasons = error.response.get("CancellationReasons", [])
    codes = {str(reason["Code"]) for reason in reasons if reason.get("Code", "None") != "None"}
    return codes or {error.response["Error"]["Code"]}


def _is_too_large(error: ClientError) -> bool:
    reasons = [str(reason.get("Message")) for reason in error.response.get("CancellationReasons", [])]
    # DynamoDB has no code of its own for this: "Item size to update has exceeded the maximum allowed size".
    return any("tem size" in message for message in [*reasons, error.response["Error"]["Message"]])
