"""What is wrong with a table and its bucket, and what can be mended, while machines ask and others write?

The table is read as a whole, which is no snapshot: what looks wrong is looked at again, all that the rule is about at
one moment, before it counts.
"""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from botocore.exceptions import ClientError

from lambda_matchbox.aws.catalog.items import ObjectRef, display_name, group_fields, object_ref
from lambda_matchbox.aws.catalog.table_contents import TableContents, list_template_objects, scan_table
from lambda_matchbox.aws.clients.store_clients import StoreClients
from lambda_matchbox.aws.fsck.release_rules import ReleaseCheck
from lambda_matchbox.aws.fsck.repair import CatalogMender
from lambda_matchbox.aws.fsck.rules import (
    Fault,
    Finding,
    Item,
    Kind,
    document_fault,
    entry_selector,
    group_fault,
    is_shape,
    member_fault,
)
from lambda_matchbox.aws.layout import KEY, members_of, shape_name
from lambda_matchbox.catalog.overlaps import overlaps_among
from lambda_matchbox.catalog.selection import Selector, keys_of
from lambda_matchbox.catalog.templates import TEMPLATE_KINDS


class Ages(NamedTuple):
    """Seconds for which litter may still mean something to a reader or a writer."""

    tombstone: float = 300.0
    """No reader can have looked before a group moved that long ago; clocks may differ by some of them."""

    shape: float = 300.0
    """A writer that named a shape has written its group by then (RETRY_SECONDS), or names it again."""

    object: float = 86_400.0
    """An object is put before the item that names it."""


class Fsck:
    """Finds faults with boto3 clients; with `repair` it mends those that can be mended."""

    def __init__(
        self,
        clients: StoreClients,
        *,
        repair: bool,
        ages: Ages = Ages(),  # noqa: B008 (immutable)
    ) -> None:
        self._clients = clients
        self._s3 = clients.s3
        self._bucket = clients.bucket
        self._repair = repair
        self._ages = ages
        self._mender = CatalogMender(clients)

    def run(self, seen: Callable[[int], object] = lambda _: None) -> Iterator[Finding]:
        """All that is found; `seen` is told how many more items are read."""
        began = time.time_ns()
        found = scan_table(self._clients, seen)
        for key in found.others:
            yield Finding(
                Fault(Kind.UNKNOWN, f"item {key!r} is none of matchbox's: see who writes it here"), mended=False
            )
        yield from self._groups(found)
        for item in [*found.profiles.values(), *found.templates.values()]:
            if fault := document_fault(item):
                yield Finding(fault, mended=False)
        yield from self._entries(found)
        yield from self._shapes(found, began)
        yield from self._objects(found)
        releases = ReleaseCheck(self._clients, repair=self._repair)
        yield from releases.run(found, self._ages.object)
        for line in _notes(found):
            yield Finding(Fault(Kind.NOTE, line), mended=False)

    def _groups(self, found: TableContents) -> Iterator[Finding]:
        for item in found.groups.values():
            key: str = item[KEY]
            if (
                group_fault(item, found.entries, found.shapes) is None
                or (fault := self._mender.group_fault(key)) is None
            ):
                continue
            if mended := self._repair and fault.kind is not Kind.UNREADABLE:
                self._mender.mend_group(key)
            yield Finding(fault, mended)

    def _entries(self, found: TableContents) -> Iterator[Finding]:
        in_use = {key for fields in map(group_fields, found.groups.values()) if fields for key in fields.entries}
        before = time.time_ns() - int(self._ages.tombstone * 1e9)
        for key, entry in found.entries.items():
            if entry_selector(entry) is None:
                # Where a group has this selector, it is found missing, and mended with it.
                if key not in in_use:
                    yield self._wrong_entry(entry)
                continue
            if not isinstance(entry.get("v"), int):
                if self._repair:
                    self._mender.number_entry(entry)
                what = f"the entry of {entry['s']} counts its writes by {entry.get('v')!r}, so that none succeeds"
                yield Finding(Fault(Kind.WRONG, what), mended=self._repair)
            for group_id, profile in members_of(entry).items():
                if isinstance(profile, str) and member_fault(entry, group_id, found.groups.get(group_id)):
                    yield from self._member(key, group_id)
            yield from self._litter(entry, before)

    def _wrong_entry(self, entry: Item) -> Finding:
        if self._repair:
            self._mender.delete_entry(entry)
        fault = Fault(Kind.WRONG, f"entry {entry[KEY]!r} is of no selector that hashes to its key, and of no group")
        return Finding(fault, mended=self._repair)

    def _member(self, key: str, group_id: str) -> Iterator[Finding]:
        fault = self._mender.member_fault(key, group_id)
        if fault is not None:
            if self._repair:
                self._mender.bury(key, group_id)
            yield Finding(fault, mended=self._repair)

    def _litter(self, entry: Item, before: int) -> Iterator[Finding]:
        members = members_of(entry)
        old = [group_id for group_id, value in members.items() if isinstance(value, int) and value < before]
        if old:
            if self._repair:
                self._mender.sweep_entry(entry[KEY], self._ages.tombstone)
            what = f"the entry of {entry['s']} remembers that groups left it: {', '.join(map(repr, sorted(old)))}"
            yield Finding(Fault(Kind.TOMBSTONE, what), mended=self._repair)
        elif not members:
            if self._repair:
                self._mender.delete_entry(entry)
            yield Finding(Fault(Kind.EMPTY_ENTRY, f"the entry of {entry['s']} has no group"), mended=self._repair)

    def _shapes(self, found: TableContents, began: int) -> Iterator[Finding]:
        """In two steps: a writer may have named a shape just now, and not yet written its group."""
        fields = filter(None, map(group_fields, found.groups.values()))
        shapes = {keys_of(field.selector) for field in fields}
        shapes |= {selector.shape for selector in filter(None, map(entry_selector, found.entries.values()))}
        used = {shape_name(shape) for shape in shapes}
        for name, state in (found.shapes or {}).items():
            if name == KEY or name in used:
                continue
            if not is_shape(name, state):
                if self._repair:
                    self._mender.remove_shape(name, state)
                yield Finding(Fault(Kind.WRONG, f"SHAPES has {name!r}, which is no shape"), mended=self._repair)
                continue
            marked = state.get("retiring")
            removable = marked is not None and began - marked >= self._ages.shape * 1e9
            if self._repair and removable:
                self._mender.remove_shape(name, state)
            elif self._repair and marked is None:
                self._mender.mark_shape(name, time.time_ns())
            what = f"no group has the selector keys {name}, which each request is tried with"
            if not removable:
                what += f": a repair marks it, and another one {self._ages.shape:g} s later removes it"
            yield Finding(Fault(Kind.UNUSED_SHAPE, what), mended=self._repair and removable)

    def _objects(self, found: TableContents) -> Iterator[Finding]:
        # One that cannot be read may still name its object.
        named = {item[KEY]: item for item in found.by_key().values() if "at" in item}
        needed = {
            key: ObjectRef(item["at"], item["size"]) for key, item in named.items() if isinstance(item.get("size"), int)
        }
        there = {listed["Key"]: listed for listed in list_template_objects(self._clients)}
        for key, far in needed.items():
            known = there.get(far.key)
            if (known is None or known["Size"] != far.size) and self._is_lost(key, far):
                what = f"{display_name(key)}: the bucket lacks {far.key!r} with its {far.size} bytes: import it again"
                yield Finding(Fault(Kind.LOST_OBJECT, what), mended=False)
        in_use = {item["at"] for item in named.values()}
        before = datetime.now(UTC) - timedelta(seconds=self._ages.object)
        for key, listed in there.items():
            if key not in in_use and listed["LastModified"] < before:
                if self._repair:
                    self._delete_object(key, before)
                yield Finding(Fault(Kind.UNUSED_OBJECT, f"no item names the object {key!r}"), mended=self._repair)

    def _is_lost(self, key: str, far: ObjectRef) -> bool:
        item = self._mender.read(key)
        if item is None or object_ref(item) != far:
            return False
        try:
            return self._s3.head_object(Bucket=self._bucket, Key=far.key)["ContentLength"] != far.size
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("404", "NoSuchKey"):
                raise
            return True

    def _delete_object(self, key: str, before: datetime) -> None:
        # Who needs it again puts it again first, so that it is young.
        if self._s3.head_object(Bucket=self._bucket, Key=key)["LastModified"] < before:
            self._s3.delete_object(Bucket=self._bucket, Key=key)


def _notes(found: TableContents) -> Iterator[str]:
    """What is lawful, and hardly meant."""
    for name, item in found.groups.items():
        fields = group_fields(item)
        if fields is not None and fields.profile not in found.profiles:
            yield f"group {name!r} names profile {fields.profile!r}, which is absent"
    for name, item in found.profiles.items():
        if document_fault(item) is None:
            document = json.loads(item["doc"])
            for kind in TEMPLATE_KINDS:
                template_id = document.get(f"{kind}_id")
                if template_id and (kind, template_id) not in found.templates:
                    yield f"profile {name!r} names {kind} template {template_id!r}, which is absent"
    yield from map(str, overlaps_among(_holders(found)))


def _holders(found: TableContents) -> Iterator[tuple[Selector, list[str]]]:
    """The selectors, and the groups that their entries name."""
    for entry in found.entries.values():
        selector = entry_selector(entry)
        if selector is not None:
            yield selector, [name for name, value in members_of(entry).items() if isinstance(value, str)]
