"""Does a table's item fit the others? The rules that hold between writes, each over what was read.

They hold for items that were read at one moment. Of items that were read one after the other they tell what to look at
again.
"""

import json
from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple

from lambda_matchbox.aws.catalog.items import (
    MALFORMED,
    GroupFields,
    group_fields,
    group_hash,
    has_object,
    profile_in,
)
from lambda_matchbox.aws.layout import (
    GROUP,
    KEY,
    PROFILE,
    entry_key,
    member_name,
    selector_text,
    shape_name,
    shape_of,
)
from lambda_matchbox.catalog.selection import (
    Selector,
    keys_of,
    stands_for,
)

Item = Mapping[str, Any]


class Kind(Enum):
    """What can be wrong; the value is what an operator is shown."""

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
    def is_litter(self) -> bool:
        """Whether it changes no answer, and only takes room or time."""
        return self in (Kind.UNUSED_SHAPE, Kind.TOMBSTONE, Kind.EMPTY_ENTRY, Kind.UNUSED_OBJECT)

    @property
    def is_damage(self) -> bool:
        """Whether a machine may get a wrong answer, or none."""
        return not self.is_litter and self is not Kind.NOTE


class Fault(NamedTuple):
    """What is wrong, in a line."""

    kind: Kind
    what: str


class Finding(NamedTuple):
    """A fault, and whether it is mended."""

    fault: Fault
    mended: bool


def group_fault(item: Item, entries: Mapping[str, Item], shapes: Item | None) -> Fault | None:
    """What is wrong with the group in `item`, where these are the entries by their keys, and SHAPES."""
    name = f"group {item[KEY].removeprefix('G#')!r}"
    fields = group_fields(item)
    if fields is None:
        return Fault(Kind.UNREADABLE, f"{name}: its document is none of a group of this id: import it again")
    repeated = group_hash(fields.selector), fields.profile
    if (item.get("sel"), item.get("profile")) != repeated or "rev" not in item:
        return Fault(Kind.WRONG, f"{name}: what its item repeats of its document is something else")
    for selector in fields.selectors:
        if fault := _place_fault(item, fields.profile, selector, entries.get(entry_key(selector))):
            return fault
    shape = keys_of(fields.selector)
    if shape_name(shape) not in (shapes or {}):
        return Fault(Kind.UNNAMED_SHAPE, f"{name} is not found by any machine: SHAPES lacks {list(shape)}")
    return None


def _place_fault(item: Item, profile: str, selector: Selector, entry: Item | None) -> Fault | None:
    """What is wrong with how this entry, which is to be of a selector of the group, has the group in `item`."""
    group_id = item[KEY].removeprefix(GROUP)
    place = f"the entry of {selector_text(selector)}"
    if entry is None or entry.get("s") != selector_text(selector):
        return Fault(Kind.MISSING, f"group {group_id!r} is not found by its machines: {place} is not there")
    if (member := entry.get(member_name(group_id))) != profile:
        says = f"has profile {member!r} for it" if isinstance(member, str) else "lacks it"
        return Fault(Kind.MISSING, f"group {group_id!r} has profile {profile!r}, and {place} {says}")
    return None


def member_fault(entry: Item, group_id: str, group: Item | None) -> Fault | None:
    """What is wrong with the entry's naming this group, whose item this is."""
    place = f"the entry of {entry.get('s')}"
    if group is None:
        return Fault(Kind.DANGLING, f"{place} names group {group_id!r}, which is not there")
    fields = group_fields(group)
    # One that cannot be read is told of by itself.
    if fields is not None and not _has(fields, entry):
        selector = json.dumps(fields.selector)
        return Fault(Kind.DANGLING, f"{place} names group {group_id!r}, whose selector is {selector}")
    return None


def entry_selector(entry: Item) -> Selector | None:
    """The selector that the entry is of; None where its text is no selector's, or another's."""
    try:
        selector = Selector(tuple((key, value) for key, value in json.loads(entry["s"])))
        return selector if entry_key(selector) == entry[KEY] else None
    except MALFORMED:
        return None


def is_shape(name: str, state: object) -> bool:
    """Whether an attribute of SHAPES is a shape, with the mapping that says how it stands with it."""
    return shape_of(name) is not None and isinstance(state, dict)


def document_fault(item: Item) -> Fault | None:
    """What is wrong with a profile's or a template's item by itself."""
    key: str = item[KEY]
    try:
        if key.startswith(PROFILE):
            has_object(item)
            profile = profile_in(item, lambda _: b"{}")
            readable = profile.id == key.removeprefix(PROFILE) and isinstance(profile.metadata, dict)
        else:
            readable = has_object(item) or isinstance(item["body"], bytes)
    except MALFORMED:
        readable = False
    return None if readable else Fault(Kind.UNREADABLE, f"item {key!r} cannot be read: import it again")


def _has(fields: GroupFields, entry: Item) -> bool:
    """Whether this entry is one of the group's."""
    selector = entry_selector(entry)
    return entry[KEY] in fields.entries if selector is None else stands_for(fields.selector, selector)
