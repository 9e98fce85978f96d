"""Check and repair of a table and its bucket while machines boot and others write.

A scan does not read a snapshot: everything that a rule rejects is read again, at one moment, before it counts.
"""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from botocore.exceptions import ClientError

from lambda_matchbox.aws.catalog.items import ObjectRef, display_name, group_fields, object_ref
from lambda_matchbox.aws.catalog.table_contents import TableContents, scan_table
from lambda_matchbox.aws.clients.dynamodb_json import Item
from lambda_matchbox.aws.clients.light_clients import LightClients
from lambda_matchbox.aws.clients.store_clients import StoreClients
from lambda_matchbox.aws.fsck.copy_rules import check_copies
from lambda_matchbox.aws.fsck.machine_check import MachineCheck
from lambda_matchbox.aws.fsck.release_rules import ReleaseCheck
from lambda_matchbox.aws.fsck.repair import CatalogRepair
from lambda_matchbox.aws.fsck.rules import (
    Finding,
    Kind,
    check_document,
    check_group,
    check_member,
    entry_selector,
    is_shape,
)
from lambda_matchbox.aws.keys import KEY, TEMPLATES_PREFIX, members_of, shape_name
from lambda_matchbox.aws.releases.copies import ReleaseCopies
from lambda_matchbox.catalog.overlaps import overlaps_among
from lambda_matchbox.catalog.selection import Selector, keys_of
from lambda_matchbox.catalog.templates import TEMPLATE_KINDS


class Ages(NamedTuple):
    """Seconds for which garbage may still matter to a reader or a writer."""

    tombstone: float = 300.0
    """No reader can have looked before a group moved that long ago; clocks may differ by some of them."""

    shape: float = 300.0
    """A writer that named a shape has written its group by then (RETRY_SECONDS), or names it again."""

    object: float = 86_400.0
    """An object is put before the item that names it."""

    pointer: float = 60.0
    """Whoever moves a pointer makes the copies for CloudFront afterwards."""


class Fsck:
    """Checks table and bucket; with `repair` it repairs what it can and removes garbage.

    For `release_copies` see `required` of ReleaseCopies.
    """

    def __init__(
        self,
        clients: StoreClients,
        light: LightClients,
        *,
        repair: bool,
        release_copies: bool | None = None,
        ages: Ages = Ages(),  # noqa: B008 (immutable)
    ) -> None:
        self._clients = clients
        self._s3 = clients.s3
        self._bucket = clients.bucket
        self._repairs = repair
        self._ages = ages
        self._repair = CatalogRepair(clients)
        self._light = light
        self._copies = ReleaseCopies(light, required=release_copies)

    def run(self, seen: Callable[[int], object] = lambda _: None) -> Iterator[Finding]:
        """All findings; `seen` is given the number of items of each page that is read."""
        began = time.time_ns()
        found = scan_table(self._clients, seen)
        for key in found.others:
            yield Finding(Kind.UNKNOWN, f"item {key!r} is not one of matchbox's; find out what writes it")
        yield from self._groups(found)
        yield from filter(None, map(check_document, [*found.profiles.values(), *found.templates.values()]))
        yield from self._entries(found)
        yield from self._shapes(found, began)
        yield from self._objects(found)
        yield from MachineCheck(self._clients, repair=self._repairs).run(found)
        yield from ReleaseCheck(self._light, self._copies, repair=self._repairs).run(found, self._ages.object)
        yield from check_copies(self._copies, self._ages.pointer, repair=self._repairs)
        for line in _notes(found):
            yield Finding(Kind.NOTE, line)

    def _groups(self, found: TableContents) -> Iterator[Finding]:
        for item in found.groups.values():
            key: str = item[KEY]
            if not check_group(item, found.entries, found.shapes) or not (finding := self._repair.check_group(key)):
                continue
            if repaired := self._repairs and finding.kind is not Kind.UNREADABLE:
                self._repair.repair_group(key)
            yield finding._replace(repaired=repaired)

    def _entries(self, found: TableContents) -> Iterator[Finding]:
        in_use = {key for fields in map(group_fields, found.groups.values()) if fields for key in fields.entries}
        before = time.time_ns() - int(self._ages.tombstone * 1e9)
        for key, entry in found.entries.items():
            if entry_selector(entry) is None:
                # A group with this selector is found missing, and is repaired with it.
                if key not in in_use:
                    yield self._wrong_entry(entry)
                continue
            if not isinstance(entry.get("v"), int):
                if self._repairs:
                    self._repair.number_entry(entry)
                text = f"the entry of {entry['s']} counts its writes with {entry.get('v')!r}: no write succeeds"
                yield Finding(Kind.WRONG, text, self._repairs)
            for group_id, profile in members_of(entry).items():
                if isinstance(profile, str) and check_member(entry, group_id, found.groups.get(group_id)):
                    yield from self._member(key, group_id)
            yield from self._garbage(entry, before)

    def _wrong_entry(self, entry: Item) -> Finding:
        if self._repairs:
            self._repair.delete_entry(entry)
        text = f"entry {entry[KEY]!r} belongs to no group, and its selector does not hash to its key"
        return Finding(Kind.WRONG, text, self._repairs)

    def _member(self, key: str, group_id: str) -> Iterator[Finding]:
        finding = self._repair.check_member(key, group_id)
        if finding is not None:
            if self._repairs:
                self._repair.put_tombstone(key, group_id)
            yield finding._replace(repaired=self._repairs)

    def _garbage(self, entry: Item, before: int) -> Iterator[Finding]:
        members = members_of(entry)
        old = [group_id for group_id, value in members.items() if isinstance(value, int) and value < before]
        if old:
            if self._repairs:
                self._repair.remove_tombstones(entry[KEY], self._ages.tombstone)
            text = f"the entry of {entry['s']} has old tombstones of {', '.join(map(repr, sorted(old)))}"
            yield Finding(Kind.TOMBSTONE, text, self._repairs)
        elif not members:
            if self._repairs:
                self._repair.delete_entry(entry)
            yield Finding(Kind.EMPTY_ENTRY, f"the entry of {entry['s']} has no group", self._repairs)

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
                if self._repairs:
                    self._repair.remove_shape(name, state)
                yield Finding(Kind.WRONG, f"SHAPES has {name!r}, which is not a shape", self._repairs)
                continue
            marked = state.get("retiring")
            removable = marked is not None and began - marked >= self._ages.shape * 1e9
            if self._repairs and removable:
                self._repair.remove_shape(name, state)
            elif self._repairs and marked is None:
                self._repair.mark_shape(name, time.time_ns())
            text = f"no group has the selector keys {name}, which cost each request a read"
            if not removable:
                text += f"; --repair marks them, and a second one {self._ages.shape:g} s later removes them"
            yield Finding(Kind.UNUSED_SHAPE, text, self._repairs and removable)

    def _objects(self, found: TableContents) -> Iterator[Finding]:
        # An item that cannot be read may still name its object.
        named = {item[KEY]: item for item in found.by_key().values() if "at" in item}
        needed = {
            key: ObjectRef(item["at"], item["size"]) for key, item in named.items() if isinstance(item.get("size"), int)
        }
        listed = {listed["Key"]: listed for listed in self._clients.objects(TEMPLATES_PREFIX)}
        for key, reference in needed.items():
            known = listed.get(reference.key)
            if (known is None or known["Size"] != reference.size) and self._is_lost(key, reference):
                lost = f"the bucket lacks {reference.key!r} with its {reference.size} bytes"
                yield Finding(Kind.LOST_OBJECT, f"{display_name(key)}: {lost}; import it again")
        in_use = {item["at"] for item in named.values()}
        before = datetime.now(UTC) - timedelta(seconds=self._ages.object)
        for key, known in listed.items():
            if key not in in_use and known["LastModified"] < before:
                if self._repairs:
                    self._delete_object(key, before)
                yield Finding(Kind.UNUSED_OBJECT, f"no item names the object {key!r}", self._repairs)

    def _is_lost(self, key: str, reference: ObjectRef) -> bool:
        item = self._repair.read(key)
        if item is None or object_ref(item) != reference:
            return False
        try:
            return self._s3.head_object(Bucket=self._bucket, Key=reference.key)["ContentLength"] != reference.size
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("404", "NoSuchKey"):
                raise
            return True

    def _delete_object(self, key: str, before: datetime) -> None:
        # A writer that needs it again puts it again first, so that it is young.
        if self._s3.head_object(Bucket=self._bucket, Key=key)["LastModified"] < before:
            self._s3.delete_object(Bucket=self._bucket, Key=key)


def _notes(found: TableContents) -> Iterator[str]:
    """What is valid but probably unintended."""
    for name, item in found.groups.items():
        fields = group_fields(item)
        if fields is not None and fields.profile not in found.profiles:
            yield f"group {name!r} names profile {fields.profile!r}, which is absent"
    for name, item in found.profiles.items():
        if check_document(item) is None:
            document = json.loads(item["doc"])
            for kind in TEMPLATE_KINDS:
                template_id = document.get(f"{kind}_id")
                if template_id and (kind, template_id) not in found.templates:
                    yield f"profile {name!r} names {kind} template {template_id!r}, which is absent"
    yield from map(str, overlaps_among(_members_by_selector(found)))


def _members_by_selector(found: TableContents) -> Iterator[tuple[Selector, list[str]]]:
    for entry in found.entries.values():
        selector = entry_selector(entry)
        if selector is not None:
            yield selector, [name for name, value in members_of(entry).items() if isinstance(value, str)]
