"""Groups, profiles and templates as items of the table (see `aws.keys`), written and read.

What is long of a document lies in the bucket: its item has the object's key and size in place of those bytes.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from lambda_matchbox.aws.keys import (
    ENTRY,
    GROUP,
    KEY,
    MAX_ITEM_SIZE,
    MAX_KEY_SIZE,
    PROFILE,
    TEMPLATE,
    TEMPLATES_PREFIX,
    Attribute,
    entry_key,
    group_key,
    json_text,
    profile_key,
    selector_text,
    template_key,
    template_name,
    text_hash,
)
from lambda_matchbox.catalog.groups import Group, SelectorValue
from lambda_matchbox.catalog.profiles import NetBoot, Profile
from lambda_matchbox.catalog.selection import (
    MAX_COMBINATIONS,
    Selector,
    combinations,
    keys_of,
    selectors_of,
    stands_for,
)
from lambda_matchbox.catalog.templates import CatalogDocument, Template
from lambda_matchbox.errors import MatchboxError
from lambda_matchbox.machines.policy import policy_in

MAX_INLINE_SIZE = 32 * 1024
"""Bytes of a template or of metadata that stay in the item.

One item gives 3,000 read units a second, and each 4 KB of it costs one (DynamoDB's "Quotas"): 333 machines a second may
all read an item of this size.
"""

MAX_DOCUMENT_SIZE = 16 * 1024 * 1024
"""Bytes of a template or of metadata: a function has to hold it, parse it and answer in time."""

MALFORMED = (AttributeError, KeyError, TypeError, ValueError)
"""Raised when the fields of a damaged item are read."""


class UnwritableError(MatchboxError):
    """A document that DynamoDB cannot hold: its item is over 400 KB, or its id is not a key."""


class Record(NamedTuple):
    """An item and, by their keys, the objects that it names, which have to be in the bucket before it."""

    item: dict[str, Attribute]
    objects: Mapping[str, bytes] = {}


class ObjectRef(NamedTuple):
    """An object with the rest of an item; `size` in bytes."""

    key: str
    size: int


class GroupFields(NamedTuple):
    """What decides which entries have a group."""

    selector: Mapping[str, SelectorValue]
    profile: str

    @property
    def selectors(self) -> list[Selector]:
        """Every combination of the selector's values."""
        return selectors_of(self.selector)

    @property
    def entries(self) -> list[str]:
        """The keys of the entries that have it."""
        return [entry_key(selector) for selector in self.selectors]


def key_of(kind: str, name: str) -> str | None:
    """The key of one of the `groups`, of the `profiles`, or of the templates of that kind; None if it cannot exist."""
    match kind:
        case "groups":
            return group_key(name)
        case "profiles":
            return profile_key(name)
        case _:
            return template_key(kind, name)


def document_key(document: CatalogDocument) -> str | None:
    """The document's key; None if no item can have it."""
    match document:
        case Group():
            return group_key(document.id)
        case Profile():
            return profile_key(document.id)
        case Template(kind, template_id, _):
            return template_key(kind, template_id)


def document_record(document: CatalogDocument, rev: str) -> Record:
    """The document's item; `rev` is for a group's. Raises UnwritableError."""
    match document:
        case Group():
            return group_record(document, rev)
        case Profile():
            return profile_record(document)
        case Template(kind, template_id, body):
            return template_record(kind, template_id, body)


def display_name(key: str) -> str:
    """The document with this key, for an operator: `group node1`, `ignition template a.yaml`."""
    if key.startswith(TEMPLATE):
        return "{} template {}".format(*template_name(key))
    return f"group {key.removeprefix(GROUP)}" if key.startswith(GROUP) else f"profile {key.removeprefix(PROFILE)}"


def group_hash(selector: Mapping[str, SelectorValue]) -> str:
    """The hash of a group's selector, which is its entry's if it has no lists."""
    return text_hash(json_text([(key, selector[key]) for key in keys_of(selector)]))


def group_record(group: Group, rev: str) -> Record:
    """The group's item. Raises UnwritableError."""
    what = f"group {group.id!r}"
    _check_selector(what, group.selector)
    fields = group.document()
    metadata = json_text(fields.pop("metadata")).encode()
    reference, objects = _long_part(f"the metadata of {what}", metadata)
    if not reference:
        fields["metadata"] = dict(group.metadata)
    item = _item(
        what,
        group_key(group.id),
        doc=json_text(fields),
        sel=group_hash(group.selector),
        profile=group.profile,
        rev=rev,
        **reference,
    )
    return Record(item, objects)


def group_in(item: Mapping[str, Any], read: Callable[[ObjectRef], bytes]) -> Group:
    """The group in its item; `read` returns an object's bytes."""
    fields = json.loads(item["doc"])
    fields["selector"] = {key: one if isinstance(one, str) else tuple(one) for key, one in fields["selector"].items()}
    if (reference := object_ref(item)) is not None:
        fields["metadata"] = json.loads(read(reference))
    if (policy := fields.get("boot")) is not None:
        fields["boot"] = policy_in(policy)
    return Group(**fields)


def group_fields(item: Mapping[str, Any]) -> GroupFields | None:
    """The fields of the group in its item; None if it cannot be read."""
    try:
        document = json.loads(item["doc"])
        selector, profile = document["selector"], document["profile"]
        if GROUP + document["id"] != item[KEY] or not isinstance(profile, str) or not isinstance(document["name"], str):
            return None
        if not all(map(_is_selector_value, selector.values())) or combinations(selector) > MAX_COMBINATIONS:
            return None
        if not (has_object(item) or isinstance(document["metadata"], dict)):
            return None
        return GroupFields(selector, profile)
    except MALFORMED:
        return None


def selectors_in(item: Mapping[str, Any]) -> list[Selector]:
    """Every combination of the selector of the group in its item."""
    return selectors_of(json.loads(item["doc"])["selector"])


def has_selector(item: Mapping[str, Any], entry: str, selector: Selector) -> bool:
    """Whether this selector, whose entry has that key, is a combination of that of the group in its item."""
    # Without lists the hash decides, and the document need not be parsed for this.
    return entry == f"{ENTRY}{item['sel']}" or stands_for(json.loads(item["doc"])["selector"], selector)


def profile_record(profile: Profile) -> Record:
    """The profile's item. Raises UnwritableError."""
    what = f"profile {profile.id!r}"
    reference, objects = _long_part(f"the metadata of {what}", json_text(dict(profile.metadata)).encode())
    fields = (profile._replace(metadata={}) if reference else profile).document()
    return Record(_item(what, profile_key(profile.id), doc=json_text(fields), **reference), objects)


def profile_in(item: Mapping[str, Any], read: Callable[[ObjectRef], bytes]) -> Profile:
    """The profile in its item; `read` returns an object's bytes."""
    doc: str = item["doc"]
    # Metadata may hold secrets, which are not kept; every machine can read the rest.
    keep = len(doc) <= _MAX_KEPT_SIZE and '"metadata"' not in doc
    profile = (_kept_profile if keep else _profile_of)(doc)
    return profile if (at := object_ref(item)) is None else profile._replace(metadata=json.loads(read(at)))


def _profile_of(doc: str) -> Profile:
    """The profile in the JSON of its item."""
    fields = json.loads(doc)
    if (boot := fields.pop("boot", None)) is not None:
        boot = NetBoot(boot.get("kernel", ""), tuple(boot.get("initrd", ())), tuple(boot.get("args", ())))
    return Profile(**fields, boot=boot)


# Many machines share a profile.
_kept_profile, _MAX_KEPT_SIZE = lru_cache(256)(_profile_of), 4096


def template_record(kind: str, template_id: str, body: bytes) -> Record:
    """The template's item. Raises UnwritableError."""
    what = f"{kind} template {template_id!r}"
    reference, objects = _long_part(what, body)
    return Record(_item(what, template_key(kind, template_id), **(reference or {"body": body})), objects)


def template_in(item: Mapping[str, Any], read: Callable[[ObjectRef], bytes]) -> bytes:
    """The template in its item; `read` returns an object's bytes."""
    reference = object_ref(item)
    if reference is not None:
        return read(reference)
    body: bytes = item["body"]
    return body


def object_ref(item: Mapping[str, Any]) -> ObjectRef | None:
    """The object with the rest of the item; None if the item is complete."""
    return ObjectRef(item["at"], item["size"]) if "at" in item else None


def has_object(item: Mapping[str, Any]) -> bool:
    """Whether an object has the rest of the item. Raises KeyError and TypeError for a damaged reference."""
    reference = object_ref(item)
    if reference is not None and not (isinstance(reference.key, str) and isinstance(reference.size, int)):
        raise TypeError(reference)
    return reference is not None


def _long_part(what: str, body: bytes) -> tuple[dict[str, Attribute], dict[str, bytes]]:
    """The attributes and the object for a long body; empty for a short one. Raises UnwritableError."""
    if len(body) <= MAX_INLINE_SIZE:
        return {}, {}
    if len(body) > MAX_DOCUMENT_SIZE:
        raise UnwritableError(f"{what}: {len(body)} bytes are more than the {MAX_DOCUMENT_SIZE} that are served")
    key = TEMPLATES_PREFIX + hashlib.sha256(body).hexdigest()
    return {"at": key, "size": len(body)}, {key: body}


def _item(what: str, key: str | None, **attributes: Attribute) -> dict[str, Attribute]:
    if key is None:
        raise UnwritableError(f"{what}: the id is not UTF-8 or is longer than a key may be ({MAX_KEY_SIZE} bytes)")
    item: dict[str, Attribute] = {KEY: key, **attributes}
    try:
        size = sum(_size(name) + _size(value) for name, value in item.items())
    except UnicodeEncodeError as error:
        raise UnwritableError(f"{what}: {error.object!r} is not UTF-8") from error
    if size > MAX_ITEM_SIZE:
        raise UnwritableError(f"{what}: {size} bytes are more than DynamoDB's {MAX_ITEM_SIZE} (400 KB) for one item")
    return item


def _size(value: Attribute) -> int:
    # A number takes a byte for two digits, one for its exponent and one for its sign.
    return len(value) if isinstance(value, bytes) else len(str(value).encode())


def _check_selector(what: str, selector: Mapping[str, SelectorValue]) -> None:
    """Raises UnwritableError if its entries are more, or larger, than one transaction takes."""
    number = combinations(selector)
    if not 1 <= number <= MAX_COMBINATIONS:
        raise UnwritableError(f"{what}: its selector's lists have {number} combinations, not 1 to {MAX_COMBINATIONS}")
    size = sum(len(selector_text(one)) for one in selectors_of(selector))
    if number > 1 and size > MAX_ITEM_SIZE:
        raise UnwritableError(
            f"{what}: the {number} combinations of its selector's lists have {size} bytes together; the limit is "
            f"{MAX_ITEM_SIZE} (400 KB)"
        )


def _is_selector_value(value: object) -> bool:
    several = isinstance(value, list) and value and all(isinstance(one, str) for one in value)
    return isinstance(value, str) or bool(several)
