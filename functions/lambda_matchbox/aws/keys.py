"""The keys of the table and of the bucket, and the names of an item's attributes.

The table has one key, the text `pk`:

    S                   SHAPES: for each selector shape in use an attribute, its name the JSON list of the keys, its
                        value {}, or {retiring: the time in nanoseconds} after fsck found it unused
    E#<hash>            a selector's entry; the hash is the SHA-256 of the JSON of its pairs
                        s: that JSON · v: counts its writes · g:<group>: the group's profile, or a tombstone
    G#<group>           doc: the group as JSON · sel: its selector's hash · profile · rev: a new text with each write
    P#<profile>         doc: the profile as JSON
    T#<kind>#<template> body: the template's bytes
    R                   POINTERS: for each image source s:<source>: its pointer as JSON
    R#<source>          lease: the token of the sync under way · until: the lease's end, in milliseconds since 1970
                        checked: when the source was last found up to date, in seconds since 1970
    M#<identity>        state: a machine's state as JSON, the same under each of its identities
                        rev: a new text with each write
    K                   TOKEN_KEYS: for each key of tokens k<when it was made>: its base64 · newest: when the last was
    I                   SOURCES: for each image source s:<source>: its document as JSON

A group that lists values in its selector has an entry for each combination of them; otherwise its entry has its
selector's hash. SHAPES and POINTERS are one item each, because every selection reads them.

A tombstone, a number, replaces a group that was taken out of an entry. BatchGetItem does not read a snapshot: a reader
may have read the new entry before the group was added, and the old one after it was removed. The tombstone shows that.

The bucket:

    answers/<hash>                        responses too long for the balancer
    assets/<path>                         the operator's own assets
    releases/<source>/<directory>/<file>  releases of image sources
    served/assets/<path>                  for CloudFront: copies of the current releases' files,
    served/assets/<path>.release-<digits> and of those of all kept releases
    templates/<SHA-256 of the bytes>      long templates and metadata; their items have `at`, this key, and `size`
"""

import hashlib
import json
from base64 import b64decode
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from lambda_matchbox.catalog.selection import Selector, Shape
from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.machines.tokens import KEY_SIZE
from lambda_matchbox.releases.pointers import Pointers, pointer_in

KEY = "pk"
"""The name of the table's key."""

SHAPES = "S"
POINTERS = "R"
SOURCES = "I"

ENTRY = "E#"
GROUP = "G#"
PROFILE = "P#"
TEMPLATE = "T#"
SYNC = "R#"
MACHINE = "M#"
TOKEN_KEYS = "K"  # noqa: S105 (a key of the table)

TOKEN_KEY = "k"  # noqa: S105 (the beginning of an attribute's name)
"""What an attribute of TOKEN_KEYS begins with that is a key; the rest is when it was made."""

CHECKED = "checked"
"""The attribute of a SYNC item that says when the source was last found up to date."""

RESPONSES_PREFIX = "answers/"
ASSETS_PREFIX = "assets/"
RELEASES_PREFIX = "releases/"
SERVED_PREFIX = "served/assets/"
TEMPLATES_PREFIX = "templates/"

MAX_KEY_SIZE = 2048
"""Bytes of a key (DynamoDB's "Quotas", partition key values)."""

MAX_NAME_SIZE = 65_535
"""Bytes of an attribute's name (DynamoDB's "Quotas", attribute names)."""

MAX_ITEM_SIZE = 400 * 1024
"""Bytes of an item, names of attributes included (DynamoDB's "Quotas")."""

Attribute = str | bytes | int

# json.dumps() makes an encoder for each text.
_encoded = json.JSONEncoder(separators=(",", ":")).encode
_quoted = json.encoder.encode_basestring_ascii
_MEMBER = "g:"
_SOURCE = "s:"


def selector_text(selector: Selector) -> str:
    """The pairs without ambiguity, whatever is in them; ASCII."""
    # By hand: each selection needs it, and an encoder takes three times as long.
    return f"[{','.join([f'[{_quoted(key)},{_quoted(value)}]' for key, value in selector.pairs])}]"


def entry_key(selector: Selector) -> str:
    """The key of a selector's entry."""
    return ENTRY + text_hash(selector_text(selector))


def group_key(group_id: str) -> str | None:
    """The key of a group; None if no item can have it."""
    return _valid_key(GROUP + group_id)


def profile_key(profile_id: str) -> str | None:
    """The key of a profile; None if no item can have it."""
    return _valid_key(PROFILE + profile_id)


def template_key(kind: str, template_id: str) -> str | None:
    """The key of a template; None if no item can have it."""
    return _valid_key(f"{TEMPLATE}{kind}#{template_id}")


def template_name(key: str) -> tuple[str, str]:
    """Kind and id of the template with this key."""
    kind, _, template_id = key.removeprefix(TEMPLATE).partition("#")
    return kind, template_id


def sync_key(source_id: str) -> str:
    """The key of the item with an image source's lease."""
    return SYNC + source_id


def machine_key(identity: str) -> str:
    """The key of a machine's state under one of its identities, which is a label and so no longer than a key."""
    return MACHINE + identity


def token_keys_in(item: Mapping[str, Any] | None) -> dict[int, bytes]:
    """The keys in their item, by the times at which they were made. Raises StoreUnavailableError for a damaged one."""
    named = {name.removeprefix(TOKEN_KEY): value for name, value in (item or {}).items()}
    try:
        keys = {int(made): b64decode(value, validate=True) for made, value in named.items() if made.isdigit()}
    except (TypeError, ValueError):
        keys = {0: b""}
    if any(len(key) != KEY_SIZE for key in keys.values()):
        raise StoreUnavailableError("the keys of tokens are damaged: see `matchboxctl fsck`")
    return keys


def release_prefix(source_id: str, directory: str) -> str:
    """The prefix of a release's files in the bucket."""
    return f"{RELEASES_PREFIX}{source_id}/{directory}/"


def member_name(group_id: str) -> str:
    """The attribute of a group in an entry."""
    return _MEMBER + group_id


def members_of(entry: Mapping[str, Any]) -> dict[str, Any]:
    """By their ids what an entry has of groups: a profile, or a tombstone."""
    return {name.removeprefix(_MEMBER): value for name, value in entry.items() if name.startswith(_MEMBER)}


def shape_name(shape: Shape) -> str:
    """The attribute of a shape in SHAPES."""
    return json_text(shape)


@lru_cache(maxsize=1024)
def shape_of(name: str) -> Shape | None:
    """The shape that an attribute of SHAPES names; None if it names none."""
    try:
        keys = json.loads(name)
    except ValueError:
        return None
    return tuple(keys) if isinstance(keys, list) and all(isinstance(key, str) for key in keys) else None


def shapes_in(item: Mapping[str, Any] | None) -> frozenset[Shape]:
    """The shapes in SHAPES."""
    return _shapes_of(tuple(item or ()))


@lru_cache(maxsize=16)
def _shapes_of(names: tuple[str, ...]) -> frozenset[Shape]:
    return frozenset(shape for shape in map(shape_of, names) if shape is not None)


def source_name(source_id: str) -> str:
    """The attribute of an image source in POINTERS and in SOURCES."""
    return _SOURCE + source_id


def texts_of_sources(item: Mapping[str, Any] | None) -> dict[str, str]:
    """The texts of POINTERS or SOURCES by the sources' ids; values of another type become texts that do not parse."""
    named = (item or {}).items()
    return {name.removeprefix(_SOURCE): str(text) for name, text in named if name.startswith(_SOURCE)}


def pointers_in(item: Mapping[str, Any] | None) -> Pointers:
    """The pointers in POINTERS, without damaged ones: machines of the other sources still boot."""
    if item is None:
        return {}
    found = {source_id: _pointer_in(text) for source_id, text in texts_of_sources(item).items()}
    return {source_id: pointer for source_id, pointer in found.items() if pointer is not None}


# Each selection reads them, and few have changed.
_pointer_in = lru_cache(64)(pointer_in)


def text_hash(text: str) -> str:
    """A text of any length at a fixed one."""
    return hashlib.sha256(text.encode()).hexdigest()


def json_text(value: object) -> str:
    """JSON as the table has it: ASCII, without spaces."""
    return _encoded(value)


def _valid_key(key: str) -> str | None:
    try:
        return key if len(key.encode()) <= MAX_KEY_SIZE else None
    except UnicodeEncodeError:
        # Half a surrogate pair: DynamoDB's texts are UTF-8.
        return None
