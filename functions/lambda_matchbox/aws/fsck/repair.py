"""Repairs of a table while machines boot and others write: each is conditional on what it was decided on."""

import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from lambda_matchbox.aws.catalog.items import group_fields, group_hash
from lambda_matchbox.aws.catalog.table_writes import RETRY_SECONDS, TableWrites
from lambda_matchbox.aws.clients.dynamodb_json import Item, decode_item, encode_item
from lambda_matchbox.aws.clients.store_clients import StoreClients
from lambda_matchbox.aws.fsck.rules import Finding, check_group, check_member
from lambda_matchbox.aws.keys import GROUP, KEY, SHAPES, entry_key, member_name, members_of, selector_text
from lambda_matchbox.catalog.selection import keys_of

# An update has at most 300 operators and functions (DynamoDB's "Quotas", expressions).
_MAX_REMOVALS = 200


class CatalogRepair:
    """Checks items again at one moment and repairs them; not for several threads."""

    def __init__(self, clients: StoreClients) -> None:
        self._writes = TableWrites(clients, RETRY_SECONDS)

    def read(self, key: str) -> Item | None:
        """The item with this key."""
        found = self._writes.read(key)
        return None if found is None else decode_item(found)

    def check_group(self, key: str) -> Finding | None:
        """Check the group with this key again; None if it is gone."""
        while (item := self.read(key)) is not None:
            fields = group_fields(item)
            again, shapes, *entries = self._together(key, SHAPES, *(() if fields is None else fields.entries))
            # It may have moved between the two reads.
            if again == item:
                return check_group(item, {entry[KEY]: entry for entry in entries if entry is not None}, shapes)
        return None

    def repair_group(self, key: str) -> None:
        """Write attributes, entries and shape of the group with this key as its document has them."""
        self._writes.persist(key, lambda: self._repair_group(key))

    def check_member(self, entry_key: str, group_id: str) -> Finding | None:
        """Check again that the group belongs in the entry."""
        entry, group = self._together(entry_key, GROUP + group_id)
        if entry is None or not isinstance(members_of(entry).get(group_id), str):
            return None
        return check_member(entry, group_id, group)

    def put_tombstone(self, entry_key: str, group_id: str) -> None:
        """Replace a group that does not belong in the entry by a tombstone."""
        self._writes.persist(entry_key, lambda: self._put_tombstone(entry_key, group_id))

    def delete_entry(self, entry: Item) -> None:
        """Delete an entry that has not changed since it was read."""
        condition: Any = {"ConditionExpression": "attribute_not_exists(#v)", "ExpressionAttributeNames": {"#v": "v"}}
        if "v" in entry:
            condition["ConditionExpression"] = "#v = :v"
            condition["ExpressionAttributeValues"] = encode_item({":v": entry["v"]})
        self._once(
            lambda: self._writes.client.delete_item(
                TableName=self._writes.table, Key=encode_item({KEY: entry[KEY]}), **condition
            )
        )

    def number_entry(self, entry: Item) -> None:
        """Restart the count of writes in an entry that has no number for it."""
        self._once(
            lambda: self._writes.client.update_item(
                TableName=self._writes.table,
                Key=encode_item({KEY: entry[KEY]}),
                UpdateExpression="SET #v = :one",
                ConditionExpression="#s = :s AND NOT attribute_type(#v, :number)",
                ExpressionAttributeNames={"#v": "v", "#s": "s"},
                ExpressionAttributeValues=encode_item({":one": 1, ":s": entry["s"], ":number": "N"}),
            )
        )

    def remove_tombstones(self, key: str, age: float) -> None:
        """Remove the entry's tombstones that are older than `age` seconds, and the entry if nothing else is left."""
        before = time.time_ns() - int(age * 1e9)
        self._writes.persist(key, lambda: self._remove_tombstones(key, before))

    def mark_shape(self, name: str, moment: int) -> None:
        """Mark the shape with this attribute in SHAPES as unused since that moment, in nanoseconds."""
        self._change_shape(name, "SET #shape = :mark", encode_item({":mark": {"retiring": moment}, ":seen": {}}))

    def remove_shape(self, name: str, mark: Item) -> None:
        """Remove the shape from SHAPES if it still has this mark: a writer that needs it removes the mark."""
        self._change_shape(name, "REMOVE #shape", encode_item({":seen": mark}))

    def _repair_group(self, key: str) -> None:
        old = self._writes.read(key)
        item = None if old is None else decode_item(old)
        fields = None if item is None else group_fields(item)
        if old is None or item is None or fields is None:
            return
        self._writes.name_shape(keys_of(fields.selector), within=0)
        repaired = item | {"sel": group_hash(fields.selector), "profile": fields.profile, "rev": uuid.uuid4().hex}
        put: Any = {
            "TableName": self._writes.table,
            "Item": encode_item(repaired),
            "ConditionExpression": "#doc = :doc AND #rev = :rev" if "rev" in old else "#doc = :doc",
            "ExpressionAttributeNames": {"#doc": "doc"} | ({"#rev": "rev"} if "rev" in old else {}),
            "ExpressionAttributeValues": {":doc": old["doc"]} | ({":rev": old["rev"]} if "rev" in old else {}),
        }
        members: list[Any] = [
            self._writes.member(entry_key(one), selector_text(one), key.removeprefix(GROUP), {"S": fields.profile})
            for one in fields.selectors
        ]
        actions: list[Any] = [{"Put": put}, *({"Update": member} for member in members)]
        self._writes.client.transact_write_items(TransactItems=actions)

    def _put_tombstone(self, entry_key: str, group_id: str) -> None:
        entry, group = self._together(entry_key, GROUP + group_id)
        if entry is None or not isinstance(members_of(entry).get(group_id), str):
            return
        if check_member(entry, group_id, group) is None:
            return
        tombstone: Any = self._writes.member(entry_key, entry.get("s", ""), group_id, {"N": str(time.time_ns())})
        still: Any = {"TableName": self._writes.table, "Key": encode_item({KEY: GROUP + group_id})}
        if group is None:
            still |= {"ConditionExpression": "attribute_not_exists(#k)", "ExpressionAttributeNames": {"#k": KEY}}
        else:
            still |= {
                "ConditionExpression": "#doc = :doc",
                "ExpressionAttributeNames": {"#doc": "doc"},
                "ExpressionAttributeValues": encode_item({":doc": group["doc"]}),
            }
        self._writes.client.transact_write_items(TransactItems=[{"ConditionCheck": still}, {"Update": tombstone}])

    def _remove_tombstones(self, key: str, before: int) -> None:
        entry = self.read(key)
        if entry is None:
            return
        members = members_of(entry)
        old = {name: value for name, value in members.items() if isinstance(value, int) and value < before}
        if not old:
            return
        # An entry that was deleted and written again counts `v` from 1 again, but has no tombstone of this value.
        group_id, moment = next(iter(old.items()))
        condition: Any = {
            "Key": encode_item({KEY: key}),
            "ConditionExpression": "#v = :seen AND #t0 = :t0",
            "ExpressionAttributeNames": {"#v": "v", "#t0": member_name(group_id)},
            "ExpressionAttributeValues": encode_item({":seen": entry["v"], ":t0": moment}),
        }
        if len(old) == len(members):
            self._writes.client.delete_item(TableName=self._writes.table, **condition)
            return
        names = {f"#t{number}": member_name(name) for number, name in enumerate(list(old)[:_MAX_REMOVALS])}
        condition["ExpressionAttributeNames"] |= names
        condition["ExpressionAttributeValues"][":one"] = {"N": "1"}
        removal = f"REMOVE {', '.join(names)} ADD #v :one"
        self._writes.client.update_item(TableName=self._writes.table, UpdateExpression=removal, **condition)
        self._remove_tombstones(key, before)

    def _change_shape(self, name: str, change: str, values: dict[str, Any]) -> None:
        self._once(
            lambda: self._writes.client.update_item(
                TableName=self._writes.table,
                Key=encode_item({KEY: SHAPES}),
                UpdateExpression=change,
                ConditionExpression="#shape = :seen",
                ExpressionAttributeNames={"#shape": name},
                ExpressionAttributeValues=values,
            )
        )

    def _once(self, write: Callable[[], object]) -> None:
        """Write unless the item has changed: then nothing is wrong any more, or the next check finds it."""
        with suppress(self._writes.client.exceptions.ConditionalCheckFailedException):
            write()

    def _together(self, *keys: str) -> list[Item | None]:
        """The items with these keys at one moment."""
        found = self._writes.persist(keys[0], lambda: self._writes.read_together(*keys))
        return [None if item is None else decode_item(item) for item in found]
