"""The groups that fit into the items that groups share: SHAPES, and the entry of a selector.

DynamoDB limits an item to 400 KB. What the table already has counts, even if it is unused: a deleted group leaves a
tombstone, and only `fsck --repair` removes shapes.
"""

from collections.abc import Callable, Iterable, Iterator

from lambda_matchbox.aws.catalog.table_contents import TableContents
from lambda_matchbox.aws.clients.dynamodb_json import Item
from lambda_matchbox.aws.keys import (
    KEY,
    MAX_ITEM_SIZE,
    MAX_NAME_SIZE,
    entry_key,
    member_name,
    members_of,
    selector_text,
    shape_name,
)
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.selection import keys_of, selectors_of, sort_key
from lambda_matchbox.catalog.templates import CatalogDocument

_LIMIT = f"{MAX_ITEM_SIZE} bytes (400 KB), DynamoDB's limit for an item"
# The key, the count of writes, and an entry's selector without its text.
_OVERHEAD = 200
# A shape's mapping, with fsck's mark.
_SHAPE_STATE = 40
# A number of 19 digits: a byte for two of them, one for the exponent, one for the sign.
_TOMBSTONE_SIZE = 12


def fitting(
    documents: Iterable[CatalogDocument], found: TableContents, refuse: Callable[[Group, str], object]
) -> Iterator[CatalogDocument]:
    """All documents but the groups, the last ones by their ids, that do not fit beside the table's contents.

    `refuse` is given each of those with the reason.
    """
    groups: list[Group] = []
    for document in documents:
        if isinstance(document, Group):
            groups.append(document)
        else:
            yield document
    shapes, entries = _ShapesSize(found.shapes or {}), dict[str, _EntrySize]()
    for group in sorted(groups, key=lambda group: sort_key(group.id)):
        own: list[_EntrySize] = []
        for selector in selectors_of(group.selector):
            key = entry_key(selector)
            if key not in entries:
                entries[key] = _EntrySize(selector_text(selector), found.entries.get(key, {}))
            own.append(entries[key])
        name = shape_name(keys_of(group.selector))
        if reason := shapes.refusal(name) or next(filter(None, (entry.refusal(group) for entry in own)), ""):
            refuse(group, f"group {group.id!r}: {reason}")
            continue
        shapes.add(name)
        for entry in own:
            entry.add(group)
        yield group


class _ShapesSize:
    """The size of SHAPES, as it grows."""

    def __init__(self, item: Item) -> None:
        self._names = item.keys() - {KEY}
        self._size = _OVERHEAD + sum(_size(name) + _SHAPE_STATE for name in self._names)

    def refusal(self, name: str) -> str:
        """The reason why the shape does not fit; empty if it does."""
        if name in self._names:
            return ""
        if len(name) > MAX_NAME_SIZE:
            return f"its selector's keys have {len(name)} bytes together; DynamoDB's limit is {MAX_NAME_SIZE}"
        if self._size + len(name) + _SHAPE_STATE > MAX_ITEM_SIZE:
            return (
                f"with its selector's keys the item of all shapes would exceed {_LIMIT} (shapes in it: "
                f"{len(self._names)})"
            )
        return ""

    def add(self, name: str) -> None:
        if name not in self._names:
            self._names.add(name)
            self._size += len(name) + _SHAPE_STATE


class _EntrySize:
    """The size of a selector's entry, as it grows."""

    def __init__(self, selector: str, item: Item) -> None:
        members = {member_name(group_id): value for group_id, value in members_of(item).items()}
        self._members = {name: _member(name, value) for name, value in members.items()}
        self._size = _OVERHEAD + len(selector) + sum(self._members.values())

    def refusal(self, group: Group) -> str:
        """The reason why the group does not fit; empty if it does."""
        if self._with(group) <= max(self._size, MAX_ITEM_SIZE):
            return ""
        others = len(self._members.keys() - {member_name(group.id)})
        return (
            f"with it the entry of its selector would exceed {_LIMIT} (other groups, deleted ones included: {others})"
        )

    def add(self, group: Group) -> None:
        self._size = self._with(group)
        name = member_name(group.id)
        self._members[name] = _member(name, group.profile)

    def _with(self, group: Group) -> int:
        name = member_name(group.id)
        return self._size - self._members.get(name, 0) + _member(name, group.profile)


def _member(name: str, value: object) -> int:
    return _size(name) + (_size(value) if isinstance(value, str) else _TOMBSTONE_SIZE)


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
