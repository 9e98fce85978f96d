"""Selections from damaged tables."""

import pytest

from lambda_matchbox.aws.keys import SHAPES
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import NetBoot, Profile
from lambda_matchbox.catalog.stores import Selection
from lambda_matchbox.errors import StoreUnavailableError
from tests.contract.boot_app import Reply, boot_app
from tests.rigs.catalog_table import CatalogTable


def test_missing_group_of_an_entry_is_an_outage(table: CatalogTable) -> None:
    """Not a selection of another group."""
    table.fill(Group("default"), Group("a", selector={"k": "v"}))
    table.client.delete_item(TableName=table.name, Key={"pk": {"S": "G#a"}})
    with pytest.raises(StoreUnavailableError, match="4 times"):
        table.reader().select({"k": "v"})


def test_line_break_in_a_stored_boot_section_is_refused(table: CatalogTable) -> None:
    """As an earlier version stored it; other routes of the profile work."""
    profile = Profile("p", generic_id="t", boot=NetBoot("/k", args=("a", "b\nshell")))
    table.fill(Group("g", profile="p"))
    table.writer.put_profile(profile)
    table.writer.put_template("generic", "t", b"text")
    why = b"profile 'p': boot.args.1: the control character '\\n' could begin a new line of the boot script: "
    with boot_app(table) as app:
        assert [Reply(500, why + b"remove it\n")] * 2 == [app.send("/ipxe"), app.send("/grub")]
        assert Reply(200, b"text") == app.send("/generic")


def test_table_of_a_version_without_lists_works(table: CatalogTable) -> None:
    name = "E#3c6079a9a06617f9688409ea1add0ef017c7484d6eca6a844c8bc51633a1ed97"
    document = '{"id":"a","name":"","profile":"p","selector":{"k":"v"},"metadata":{}}'
    items = [
        {"pk": {"S": "S"}, '["k"]': {"M": {}}},
        {"pk": {"S": name}, "s": {"S": '[["k","v"]]'}, "v": {"N": "1"}, "g:a": {"S": "p"}},
        {
            "pk": {"S": "G#a"},
            "doc": {"S": document},
            "sel": {"S": name.removeprefix("E#")},
            "profile": {"S": "p"},
            "rev": {"S": "1"},
        },
        {"pk": {"S": "P#p"}, "doc": {"S": '{"id":"p","boot":{"kernel":"/k"}}'}},
    ]
    for item in items:
        table.client.put_item(TableName=table.name, Item=item)
    profile = Profile("p", boot=NetBoot("/k"))
    assert [] == table.fsck()
    assert Selection(Group("a", "", "p", {"k": "v"}), profile) == table.reader().select({"k": "v"})
    listed = Group("a", "", "p", {"k": ("w", "x")})
    table.fill(listed)
    assert [None, Selection(listed, profile)] == [table.reader().select({"k": value}) for value in "vx"]


def test_other_attributes_of_shapes_are_ignored(table: CatalogTable) -> None:
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
