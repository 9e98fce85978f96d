"""The rules that hold between the items of a table.

They hold for items read at one moment. For items read one after the other they name the ones to read again.
"""

import json
from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from lambda_matchbox.aws.catalog.items import (
    MALFORMED,
    GroupFields,
    group_fields,
    group_hash,
    has_object,
    profile_in,
)
from lambda_matchbox.aws.clients.dynamodb_json import Item
from lambda_matchbox.aws.keys import (
    GROUP,
    KEY,
    PROFILE,
    entry_key,
    member_name,
    selector_text,
    shape_name,
    shape_of,
)
from lambda_matchbox.catalog.profiles import UnsafeBootError
from lambda_matchbox.catalog.selection import Selector, keys_of, stands_for


class Kind(Enum):
    """The kinds of findings; an operator sees the value."""

    DANGLING = "dangling"
    MISSING = "missing"
    UNNAMED_SHAPE = "unnamed shape"
    WRONG = "wrong"
    UNREADABLE = "unreadable"
    UNKNOWN = "unknown"
    LOST_OBJECT = "lost object"
    UNUSED_SHAPE = "unused shape"
    TOMBSTONE = "tombstone"
    EMPTY_ENTRY = "empty entry"
    UNUSED_OBJECT = "unused object"
    NOTE = "note"

    @property
    def is_garbage(self) -> bool:
        """Whether it changes no response and only takes space or time."""
        return self in (Kind.UNUSED_SHAPE, Kind.TOMBSTONE, Kind.EMPTY_ENTRY, Kind.UNUSED_OBJECT)

    @property
    def is_damage(self) -> bool:
        """Whether a machine may get a wrong response or none."""
        return not self.is_garbage and self is not Kind.NOTE


class Finding(NamedTuple):
    """One line of fsck's output."""

    kind: Kind
    text: str
    repaired: bool = False


def check_group(item: Item, entries: Mapping[str, Item], shapes: Item | None) -> Finding | None:
    """Check a group's item against the entries, by their keys, and SHAPES."""
    group_id = item[KEY].removeprefix(GROUP)
    fields = group_fields(item)
    if fields is None:
        return Finding(Kind.UNREADABLE, f"group {group_id!r}: its item has no group of this id; import it again")
    if (item.get("sel"), item.get("profile")) != (group_hash(fields.selector), fields.profile) or "rev" not in item:
        return Finding(Kind.WRONG, f"group {group_id!r}: its item's attributes contradict its document")
    for selector in fields.selectors:
        if found := _check_membership(group_id, fields.profile, selector, entries.get(entry_key(selector))):
            return found
    shape = keys_of(fields.selector)
    if shape_name(shape) not in (shapes or {}):
        return Finding(Kind.UNNAMED_SHAPE, f"group {group_id!r} matches no machine: SHAPES lacks {list(shape)}")
    return None


def _check_membership(group_id: str, profile: str, selector: Selector, entry: Item | None) -> Finding | None:
    text = selector_text(selector)
    if entry is None or entry.get("s") != text:
        return Finding(Kind.MISSING, f"group {group_id!r} matches no machine: the entry of {text} is missing")
    if (member := entry.get(member_name(group_id))) != profile:
        has = f"has profile {member!r} for it" if isinstance(member, str) else "lacks it"
        return Finding(Kind.MISSING, f"group {group_id!r} has profile {profile!r}, and the entry of {text} {has}")
    return None


def check_member(entry: Item, group_id: str, group: Item | None) -> Finding | None:
    """Check that a group, with this item, belongs in an entry that names it."""
    names = f"the entry of {entry.get('s')} names group {group_id!r}"
    if group is None:
        return Finding(Kind.DANGLING, f"{names}, which does not exist")
    fields = group_fields(group)
    # An unreadable group is a finding of its own.
    if fields is not None and not _has(fields, entry):
        return Finding(Kind.DANGLING, f"{names}, whose selector is {json.dumps(fields.selector)}")
    return None


def _has(fields: GroupFields, entry: Item) -> bool:
    selector = entry_selector(entry)
    return entry[KEY] in fields.entries if selector is None else stands_for(fields.selector, selector)


def entry_selector(entry: Item) -> Selector | None:
    """The selector of the entry; None if its text is not a selector, or not the one of its key."""
    try:
        selector = Selector(tuple((key, value) for key, value in json.loads(entry["s"])))
        return selector if entry_key(selector) == entry[KEY] else None
    except MALFORMED:
        return None


def is_shape(name: str, state: object) -> bool:
    """Whether an attribute of SHAPES is a shape with its state."""
    return shape_of(name) is not None and isinstance(state, dict)


def check_document(item: Item) -> Finding | None:
    """Check a profile's or a template's item by itself."""
    key: str = item[KEY]
    try:
        if key.startswith(PROFILE):
            has_object(item)
            profile = profile_in(item, lambda _: b"{}")
            readable = profile.id == key.removeprefix(PROFILE) and isinstance(profile.metadata, dict)
            if profile.boot is not None:
                profile.boot.check()
        else:
            readable = has_object(item) or isinstance(item["body"], bytes)
    except UnsafeBootError as error:
        return Finding(Kind.UNREADABLE, f"item {key!r}: {error}, and import it again")
    except MALFORMED:
        readable = False
    return None if readable else Finding(Kind.UNREADABLE, f"item {key!r} cannot be read; import it again")
