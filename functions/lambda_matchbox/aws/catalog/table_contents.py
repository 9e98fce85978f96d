"""Everything in a table, sorted by kind, for operators' commands: it reads the whole table."""

from collections.abc import Callable
from typing import NamedTuple

from lambda_matchbox.aws.clients.dynamodb_json import Item, decode_item
from lambda_matchbox.aws.clients.store_clients import StoreClients
from lambda_matchbox.aws.keys import (
    ENTRY,
    GROUP,
    KEY,
    MACHINE,
    POINTERS,
    PROFILE,
    SHAPES,
    SOURCES,
    SYNC,
    TEMPLATE,
    TOKEN_KEYS,
    template_name,
)
from lambda_matchbox.aws.parallel import scan_pages


class TableContents(NamedTuple):
    """The items of a table: by group id, profile id, kind and id of the template, key of the entry and of the machine.

    `shapes`, `sources`, `pointers` and `token_keys` are None if the table has no SHAPES, SOURCES, POINTERS or
    TOKEN_KEYS; `others` are the keys of items that are not ours.
    """

    groups: dict[str, Item]
    profiles: dict[str, Item]
    templates: dict[tuple[str, str], Item]
    entries: dict[str, Item]
    shapes: Item | None
    sources: Item | None
    pointers: Item | None
    machines: dict[str, Item]
    token_keys: Item | None
    others: list[str]

    @property
    def has_documents(self) -> bool:
        """Whether there is anything but machines, tokens' keys, image sources, their pointers and their leases."""
        return bool(
            self.groups or self.profiles or self.templates or self.entries or self.shapes is not None or self.others
        )

    def by_key(self) -> dict[str, Item]:
        """The items of groups, profiles and templates, by their keys."""
        return {item[KEY]: item for kind in (self.groups, self.profiles, self.templates) for item in kind.values()}


def scan_table(clients: StoreClients, seen: Callable[[int], object] = lambda _: None) -> TableContents:
    """Read the whole table; `seen` is given the number of items of each page.

    Each item is read consistently, but together they are not a snapshot.
    """
    found = TableContents({}, {}, {}, {}, None, None, None, {}, None, [])
    request = {"TableName": clients.table, "ConsistentRead": True}
    for page in scan_pages(lambda one: clients.dynamodb.scan(**one), request):
        for item in map(decode_item, page["Items"]):
            found = _add(found, item)
        seen(len(page["Items"]))
    return found


def _add(found: TableContents, item: Item) -> TableContents:
    key: str = item[KEY]
    if key == SHAPES:
        return found._replace(shapes=item)
    if key == SOURCES:
        return found._replace(sources=item)
    if key == POINTERS:
        return found._replace(pointers=item)
    if key == TOKEN_KEYS:
        return found._replace(token_keys=item)
    if key.startswith(GROUP):
        found.groups[key.removeprefix(GROUP)] = item
    elif key.startswith(PROFILE):
        found.profiles[key.removeprefix(PROFILE)] = item
    elif key.startswith(TEMPLATE):
        found.templates[template_name(key)] = item
    elif key.startswith(ENTRY):
        found.entries[key] = item
    elif key.startswith(MACHINE):
        found.machines[key] = item
    elif not key.startswith(SYNC):
        # A SYNC item matters to the running sync only.
        found.others.append(key)
    return found
