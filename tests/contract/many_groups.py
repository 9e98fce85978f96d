"""Groups written into an empty table by batches: one by one, 10,000 take minutes."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from aws_stores.boto3_items import typed
from aws_stores.table import KEY, SHAPES, entry_key, group_record, member_name, selector_text, shape_name
from matchbox.groups import Group
from matchbox.selection import selector_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.rigs.catalog_table import CatalogTable

BATCH = 25
"""The most items of one BatchWriteItem (DynamoDB's "Quotas")."""


def of_shapes(shapes: int, number: int) -> list[Group]:
    """So many groups of profile p, spread over so many selector shapes, none with another's selector."""
    return [
        Group(f"g{n:05}", profile="p", selector={f"key{n % shapes:03}": f"value {n}", "rack": "7"})
        for n in range(number)
    ]


def write(table: CatalogTable, groups: list[Group]) -> None:
    """Write them, no two with the same selector, into the table, which has no group yet."""
    items = _items(groups)
    while batch := list(islice(items, BATCH)):
        puts: list[Any] = [{"PutRequest": {"Item": typed(item)}} for item in batch]
        answer = table.client.batch_write_item(RequestItems={table.name: puts})
        assert {} == answer["UnprocessedItems"]


def _items(groups: Iterable[Group]) -> Iterator[dict[str, Any]]:
    shapes: dict[str, Any] = {KEY: SHAPES}
    for group in groups:
        selector = selector_of(group.selector)
        shapes[shape_name(selector.shape)] = {}
        yield group_record(group, "1").item
        entry = {KEY: entry_key(selector), "s": selector_text(selector), "v": 1}
        yield entry | {member_name(group.id): group.profile}
    yield shapes
