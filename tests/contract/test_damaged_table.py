"""What does the catalogue answer from a table that somebody has damaged?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aws_stores.table import SHAPES, entry_key
from matchbox.errors import StoreUnavailableError
from matchbox.groups import Group
from matchbox.selection import selector_of
from matchbox.stores import Selection

if TYPE_CHECKING:
    from tests.rigs.catalog_table import CatalogTable


def test_dangling(table: CatalogTable) -> None:
    """An entry that names a group which is not there is an outage, not another group."""
    table.fill(Group("default"), Group("a", selector={"k": "v"}))
    table.client.delete_item(TableName=table.name, Key={"pk": {"S": "G#a"}})
    with pytest.raises(StoreUnavailableError, match="4 times"):
        table.reader().select({"k": "v"})


def test_other_selector(table: CatalogTable) -> None:
    """An entry under the right hash with another selector's pairs is not believed."""
    table.fill(Group("default"), Group("a", selector={"k": "v"}))
    table.client.update_item(
        TableName=table.name,
        Key={"pk": {"S": entry_key(selector_of({"k": "v"}))}},
        UpdateExpression="SET s = :other",
        ExpressionAttributeValues={":other": {"S": '[["k","w"]]'}},
    )
    assert Selection(Group("default"), None) == table.reader().select({"k": "v"})


def test_no_shape(table: CatalogTable) -> None:
    """What SHAPES names beside shapes is passed over."""
    table.fill(Group("default"), Group("a", selector={"k": "v"}))
    for name in ("no JSON", '"text"', "[1]"):
        table.client.update_item(
            TableName=table.name,
            Key={"pk": {"S": SHAPES}},
            UpdateExpression="SET #name = :in_use",
            ExpressionAttributeNames={"#name": name},
            ExpressionAttributeValues={":in_use": {"M": {}}},
        )
    assert Selection(Group("a", selector={"k": "v"}), None) == table.reader().select({"k": "v"})
