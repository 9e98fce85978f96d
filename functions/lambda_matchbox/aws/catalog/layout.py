"""How is the catalogue written in a table?

The table has one key, the text `pk`:

    S                   SHAPES: for each selector shape in use an attribute, its name the JSON list of the keys
    E#<hash>            a selector's entry; the hash is the SHA-256 of the JSON of its pairs
                        s: that JSON · v: bumped by each write · g:<group>: the group's profile, or a tombstone
    G#<group>           doc: the group as JSON · sel: its selector's hash · profile · rev: another text after each write
    P#<profile>         doc: the profile as JSON
    T#<kind>#<template> body: the template's bytes
    R, R#<source>, I    what is published of image sources, who syncs them, and they: see `aws.releases.source_items`

A group whose selector lists values has an entry for each combination of them. Else its entry's hash is its selector's.

A long template, or long metadata of a group or a profile, lies in the bucket. Its item has, instead of the body or of
the metadata in doc:

    at: the object's key, templates/<SHA-256 of the bytes> · size: how many bytes it has

A tombstone, a number, stands where a group was taken out of an entry. BatchGetItem is no snapshot: a reader may have
looked for the group at its new place before it came, and at its old one after it went. The tombstone tells it so.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from lambda_matchbox.catalog.profiles import NetBoot, Profile
from lambda_matchbox.catalog.selection import Selector, Shape
from lambda_matchbox.errors import MatchboxError

KEY = "pk"
"""The name of the table's key."""

SHAPES = "S"
"""The key of SHAPES."""

LONGEST_KEY = 2048
"""The most bytes of a key (DynamoDB's "Quotas", partition key values)."""

LARGEST_ITEM = 400 * 1024
"""The most bytes of an item, names of attributes included (DynamoDB's "Quotas")."""

LONGEST_INLINE = 32 * 1024
"""The most bytes of a template or of metadata that stay in the item.

One item gives 3,000 read units a second, and each 4 KB of it costs one (DynamoDB's "Quotas"): 333 machines a second may
all read an item of this size.
"""

LONGEST_DOCUMENT = 16 * 1024 * 1024
"""The most bytes of a template or of metadata: a function has to hold it, parse it and answer in time."""

OBJECTS = "templates/"
"""What the keys of objects begin with that hold long templates and metadata."""

_MEMBER = "g:"

Attribute = str | bytes | int


class UnwritableError(MatchboxError):
    """What DynamoDB cannot hold: an item over 400 KB, or an id that is no key."""


class Record(NamedTuple):
    """An item, and by their keys the objects that it names, which have to be in the bucket before it."""

    item: dict[str, Attribute]
    objects: Mapping[str, bytes] = {}


class Far(NamedTuple):
    """Where in the bucket the rest of an item lies; `size` in bytes."""

    key: str
    size: int


class Entry(NamedTuple):
    """A selector's entry as it was read: the groups with their profiles, and the tombstones."""

    profiles: Mapping[str, str]
    tombstones: Mapping[str, int]


def selector_text(selector: Selector) -> str:
    """The pairs without ambiguity, whatever is in them; ASCII."""
    return json_text(selector.pairs)


def selector_hash(selector: Selector) -> str:
    """The selector at a fixed length, which a key needs."""
    return text_hash(selector_text(selector))


def entry_key(selector: Selector) -> str:
    """The key of a selector's entry."""
    return f"E#{selector_hash(selector)}"


def group_key(group_id: str) -> str | None:
    """The key of a group; None where no item can have it."""
    return _key(f"G#{group_id}")


def profile_key(profile_id: str) -> str | None:
    """The key of a profile; None where no item can have it."""
    return _key(f"P#{profile_id}")


def template_key(kind: str, template_id: str) -> str | None:
    """The key of a template; None where no item can have it."""
    return _key(f"T#{kind}#{template_id}")


def member_name(group_id: str) -> str:
    """The attribute of a group in its entry."""
    return _MEMBER + group_id


def shape_name(shape: Shape) -> str:
    """The attribute of a shape in SHAPES."""
    return json_text(shape)


@lru_cache(maxsize=1024)
def shape_of(name: str) -> Shape | None:
    """The shape that an attribute of SHAPES names; None where it names none."""
    try:
        keys = json.loads(name)
    except ValueError:
        return None
    return tuple(keys) if isinstance(keys, list) and all(isinstance(key, str) for key in keys) else None


def shapes_in(item: Mapping[str, Any] | None) -> frozenset[Shape]:
    """The shapes that SHAPES names; none where it is not there."""
    return frozenset(shape for shape in map(shape_of, item or ()) if shape is not None)


def entry_in(item: Mapping[str, Any], selector: Selector) -> Entry | None:
    """The entry; None where the item is another selector's with the same hash."""
    if item.get("s") != selector_text(selector):
        return None
    members = {name.removeprefix(_MEMBER): value for name, value in item.items() if name.startswith(_MEMBER)}
    return Entry(
        {group_id: value for group_id, value in members.items() if isinstance(value, str)},
        {group_id: value for group_id, value in members.items() if not isinstance(value, str)},
    )


def profile_record(profile: Profile) -> Record:
    """The profile's item. Raises UnwritableError."""
    what = f"profile {profile.id!r}"
    far, objects = long_part(f"the metadata of {what}", json_text(dict(profile.metadata)).encode())
    fields = (profile._replace(metadata={}) if far else profile).document()
    return Record(item_of(what, profile_key(profile.id), doc=json_text(fields), **far), objects)


def profile_in(item: Mapping[str, Any], read: Callable[[Far], bytes]) -> Profile:
    """The profile in its item; `read` gets the bytes of an object."""
    fields = json.loads(item["doc"])
    far = far_in(item)
    if far is not None:
        fields["metadata"] = json.loads(read(far))
    boot = fields.pop("boot", None)
    if boot is not None:
        boot = NetBoot(boot.get("kernel", ""), tuple(boot.get("initrd", ())), tuple(boot.get("args", ())))
    return Profile(**fields, boot=boot)


def template_record(kind: str, template_id: str, body: bytes) -> Record:
    """The template's item. Raises UnwritableError."""
    what = f"{kind} template {template_id!r}"
    far, objects = long_part(what, body)
    return Record(item_of(what, template_key(kind, template_id), **(far or {"body": body})), objects)


def template_in(item: Mapping[str, Any], read: Callable[[Far], bytes]) -> bytes:
    """The template in its item; `read` gets the bytes of an object."""
    far = far_in(item)
    if far is not None:
        return read(far)
    body: bytes = item["body"]
    return body


def far_in(item: Mapping[str, Any]) -> Far | None:
    """Where the rest of the item lies; None where it has all."""
    return Far(item["at"], item["size"]) if "at" in item else None


def long_part(what: str, body: bytes) -> tuple[dict[str, Attribute], dict[str, bytes]]:
    """The attributes and the object of what is long; nothing for the rest. Raises UnwritableError."""
    if len(body) <= LONGEST_INLINE:
        return {}, {}
    if len(body) > LONGEST_DOCUMENT:
        raise UnwritableError(f"{what}: {len(body)} bytes are more than the {LONGEST_DOCUMENT} that are served")
    key = OBJECTS + hashlib.sha256(body).hexdigest()
    return {"at": key, "size": len(body)}, {key: body}


def text_hash(text: str) -> str:
    """A text of any length at a fixed one."""
    return hashlib.sha256(text.encode()).hexdigest()


def json_text(value: object) -> str:
    """As JSON is written in the table: ASCII, without spaces."""
    return json.dumps(value, separators=(",", ":"))


def _key(text: str) -> str | None:
    try:
        return text if len(text.encode()) <= LONGEST_KEY else None
    except UnicodeEncodeError:
        # Half a surrogate pair: DynamoDB's texts are UTF-8.
        return None


def item_of(what: str, key: str | None, **attributes: Attribute) -> dict[str, Attribute]:
    """The item of what an operator knows by the name `what`. Raises UnwritableError where DynamoDB cannot hold it."""
    if key is None:
        raise UnwritableError(f"{what}: the id is no UTF-8 or longer than a key may be ({LONGEST_KEY} bytes)")
    item: dict[str, Attribute] = {KEY: key, **attributes}
    try:
        size = sum(_size(name) + _size(value) for name, value in item.items())
    except UnicodeEncodeError as error:
        raise UnwritableError(f"{what}: {error.object!r} is no UTF-8") from error
    if size > LARGEST_ITEM:
        raise UnwritableError(f"{what}: {size} bytes are more than DynamoDB's {LARGEST_ITEM} (400 KB) for one item")
    return item


def _size(value: Attribute) -> int:
    # A number takes a byte for two digits, one for its exponent and one for its sign.
    return len(value) if isinstance(value, bytes) else len(str(value).encode())
