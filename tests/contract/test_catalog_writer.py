"""What the writer promises besides the contract of catalogs."""

from contextlib import closing

import pytest

from lambda_matchbox.aws.catalog.items import UnwritableError, profile_record
from lambda_matchbox.aws.keys import MAX_ITEM_SIZE
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.catalog.stores import Selection
from tests.contract.conftest import MakeTable
from tests.rigs.catalog_table import CatalogTable
from tests.rigs.service import Service


def test_item_over_the_limit_is_refused_with_the_limit(table: CatalogTable) -> None:
    writer = table.writer
    with pytest.raises(UnwritableError, match="16777216"):
        writer.put_template("generic", "t", bytes(16 * 1024 * 1024 + 1))
    with pytest.raises(UnwritableError, match="400 KB"):
        writer.put_profile(Profile("p", name="x" * 409_600))
    with pytest.raises(UnwritableError, match="400 KB"):
        writer.put_group(Group("g", selector={"k": "x" * 409_600}))


def test_too_many_combinations_are_refused(table: CatalogTable) -> None:
    for number in (0, 41):
        with pytest.raises(UnwritableError, match=f"have {number} combinations, not 1 to 40"):
            table.writer.put_group(Group("g", selector={"k": tuple(map(str, range(number)))}))


def test_selectors_over_the_transaction_limit_are_refused(table: CatalogTable) -> None:
    """Those just below it can be moved."""
    short = {"k": "x" * 9_900, "l": tuple(map(str, range(40)))}
    with pytest.raises(UnwritableError, match=r"the 40 combinations of its selector's lists have \d+ bytes together"):
        table.writer.put_group(Group("g", selector=short | {"k": "x" * 10_300}))
    for selector in (short, short | {"k": "y" * 9_900}):
        table.fill(Group("g", selector=selector))
        assert "g" == chosen(table, {"k": str(selector["k"]), "l": "39"})


def chosen(table: CatalogTable, labels: dict[str, str]) -> str | None:
    """The id of the group of these labels."""
    selection = table.reader().select(labels)
    return None if selection is None else selection.group.id


def test_group_with_invalid_address_is_stored_and_matches_nothing(table: CatalogTable) -> None:
    groups = [Group("a", selector={"mac": ""}), Group("b", selector={"os": "", "MAC": ""}), Group("c")]
    table.fill(*groups, Group("d", selector={"mac": "zz"}))
    catalog = table.reader()
    assert groups[0] == catalog.group("a")
    for labels in ({}, {"os": "x"}, {"mac": "52:54:00:12:34:56"}):
        assert Selection(groups[2], None) == catalog.select(labels)
    assert [] == [found for found in table.fsck() if found.kind.is_damage]


@pytest.mark.real
def test_profile_of_the_item_limit_is_stored(dynamodb_local: Service, made: MakeTable) -> None:
    """moto takes less."""
    with closing(made(dynamodb_local)) as table:
        without = profile_record(Profile("p", name="-")).item
        taken = sum(len(key) + len(value) for key, value in without.items() if isinstance(value, str)) - 1
        profile = Profile("p", name="x" * (MAX_ITEM_SIZE - taken))
        table.writer.put_profile(profile)
        assert profile == table.reader().profile("p")


def test_full_entry_refuses_a_group_and_stays(table: CatalogTable) -> None:
    first, second = (Group(group_id, profile=group_id * 180_000) for group_id in "ab")
    third = Group("c", profile="c" * 180_000)
    table.fill(first, second)
    with pytest.raises(UnwritableError, match="400 KB"):
        table.writer.put_group(third)
    assert Selection(first, None) == table.reader().select({})


@pytest.mark.parametrize("name", ["x" * 2048, "\ud800"])
def test_id_over_the_key_limit_is_refused(table: CatalogTable, name: str) -> None:
    with pytest.raises(UnwritableError, match="id"):
        table.writer.put_group(Group(name))


def test_deletion_returns_whether_it_existed(table: CatalogTable) -> None:
    table.fill(Group("a"))
    table.writer.put_profile(Profile("a"))
    table.writer.put_template("cloud", "a", b"")
    writer = table.writer
    responses = [
        [writer.delete_group("a"), writer.delete_profile("a"), writer.delete_template("cloud", "a")] for _ in range(2)
    ]
    assert [[True] * 3, [False] * 3] == responses


def test_object_deleted_as_garbage_is_put_again(table: CatalogTable) -> None:
    writer = table.new_writer()

    def take_away(**_: object) -> None:
        table.client.meta.events.unregister("before-call.dynamodb.PutItem", take_away)
        (listed,) = table.s3_client.list_objects_v2(Bucket=table.name, Prefix="templates/")["Contents"]
        table.s3_client.delete_object(Bucket=table.name, Key=listed["Key"])

    table.client.meta.events.register("before-call.dynamodb.PutItem", take_away)
    writer.put_template("generic", "t", b"x" * 40_000)
    assert b"x" * 40_000 == table.reader().template("generic", "t")
