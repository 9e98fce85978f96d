"""Each kind of damage has its finding, and is repaired if possible; a sound table has none."""

import json
from typing import Any

import pytest

from lambda_matchbox.aws.clients.dynamodb_json import decode_item, encode_item
from lambda_matchbox.aws.fsck.fsck import Ages
from lambda_matchbox.aws.fsck.rules import Kind
from lambda_matchbox.aws.keys import SHAPES, entry_key, member_name
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import NetBoot, Profile
from lambda_matchbox.catalog.selection import selectors_of
from lambda_matchbox.catalog.stores import Selection
from tests.rigs.catalog_table import CatalogTable

PROFILE = Profile("p", generic_id="t", boot=NetBoot("kernel"))
NODE, OTHER = Group("node", profile="p", selector={"mac": "1"}), Group("other", profile="p", selector={"os": "a"})
LISTS = Group("lists", profile="p", selector={"zone": ("x", "y"), "rack": ("1", "2")})
NOW = Ages(-1.0, -1.0, -1.0)


@pytest.fixture
def sound(table: CatalogTable) -> CatalogTable:
    """A table with four groups and all that they lead to."""
    table.writer.put_template("generic", "t", b"x" * 40_000)
    table.writer.put_profile(PROFILE)
    table.fill(Group("default", profile="p"), NODE, OTHER, LISTS)
    return table


def key_of(group: Group) -> str:
    """The key of the last of the group's entries."""
    return entry_key(selectors_of(group.selector)[-1])


def change(table: CatalogTable, key: str, **attributes: Any) -> None:
    """Set attributes of an item, remove those that are None."""
    item = decode_item(
        table.client.get_item(TableName=table.name, Key={"pk": {"S": key}}).get("Item", {"pk": {"S": key}})
    )
    item |= {name.replace("_", ":", 1) if name.startswith("g_") else name: value for name, value in attributes.items()}
    kept = {name: value for name, value in item.items() if value is not None}
    table.client.put_item(TableName=table.name, Item=encode_item(kept))


def delete(table: CatalogTable, key: str) -> None:
    table.client.delete_item(TableName=table.name, Key={"pk": {"S": key}})


def move_object(table: CatalogTable) -> None:
    (listed,) = table.s3_client.list_objects_v2(Bucket=table.name, Prefix="templates/")["Contents"]
    table.s3_client.delete_object(Bucket=table.name, Key=listed["Key"])


DAMAGE = {
    "entry is gone": (Kind.MISSING, lambda t: delete(t, key_of(NODE))),
    "group is not in its entry": (Kind.MISSING, lambda t: change(t, key_of(NODE), g_node=None)),
    "group is buried in its entry": (Kind.MISSING, lambda t: change(t, key_of(NODE), g_node=1)),
    "entry has another profile": (Kind.MISSING, lambda t: change(t, key_of(NODE), g_node="q")),
    "entry has another selector's pairs": (Kind.MISSING, lambda t: change(t, key_of(NODE), s='[["mac","2"]]')),
    "group is gone": (Kind.DANGLING, lambda t: delete(t, "G#node")),
    "group is in two entries": (Kind.DANGLING, lambda t: change(t, key_of(OTHER), g_node="p")),
    "one of several entries is gone": (Kind.MISSING, lambda t: delete(t, key_of(LISTS))),
    "group is not in one of its entries": (Kind.MISSING, lambda t: change(t, key_of(LISTS), g_lists=None)),
    "one of several entries has another profile": (Kind.MISSING, lambda t: change(t, key_of(LISTS), g_lists="q")),
    "group of lists is in one entry more": (Kind.DANGLING, lambda t: change(t, key_of(OTHER), g_lists="p")),
    "shape of lists is not named": (Kind.UNNAMED_SHAPE, lambda t: change(t, SHAPES, **{'["rack","zone"]': None})),
    "wrong hash of lists": (Kind.WRONG, lambda t: change(t, "G#lists", sel="0")),
    "shape is not named": (Kind.UNNAMED_SHAPE, lambda t: change(t, SHAPES, **{'["mac"]': None})),
    "no shape is named": (Kind.UNNAMED_SHAPE, lambda t: delete(t, SHAPES)),
    "wrong hash": (Kind.WRONG, lambda t: change(t, "G#node", sel="0")),
    "wrong profile": (Kind.WRONG, lambda t: change(t, "G#node", profile="q")),
    "no rev": (Kind.WRONG, lambda t: change(t, "G#node", rev=None)),
    "no shape": (Kind.WRONG, lambda t: change(t, SHAPES, mac={})),
    "a shape's state": (Kind.WRONG, lambda t: change(t, SHAPES, **{'["zone"]': "x"})),
    "no count": (Kind.WRONG, lambda t: change(t, key_of(NODE), v="x")),
    "entry of nothing": (Kind.WRONG, lambda t: change(t, "E#0", s="no JSON", v=1)),
}


def with_selector(selector: object) -> str:
    """The document of the group of lists with another selector."""
    return json.dumps(LISTS._asdict() | {"selector": selector})


BEYOND_REPAIR = {
    "group is not JSON": (Kind.UNREADABLE, lambda t: change(t, "G#node", doc="{")),
    "group is another's": (Kind.UNREADABLE, lambda t: change(t, "G#node", doc='{"id": "x"}')),
    "selector is none": (
        Kind.UNREADABLE,
        lambda t: change(t, "G#node", doc=json.dumps(NODE._asdict() | {"selector": 1})),
    ),
    "selector lists nothing": (Kind.UNREADABLE, lambda t: change(t, "G#lists", doc=with_selector({"zone": []}))),
    "selector lists numbers": (Kind.UNREADABLE, lambda t: change(t, "G#lists", doc=with_selector({"zone": [1]}))),
    "selector lists too much": (
        Kind.UNREADABLE,
        lambda t: change(t, "G#lists", doc=with_selector({"zone": list(map(str, range(41)))})),
    ),
    "profile's metadata are none": (Kind.UNREADABLE, lambda t: change(t, "P#p", doc='{"id":"p","metadata":[]}')),
    "profile's object has no size": (Kind.UNREADABLE, lambda t: change(t, "P#p", at="templates/x")),
    "profile's object is gone": (Kind.LOST_OBJECT, lambda t: change(t, "P#p", at="templates/x", size=40_000)),
    "profile has a line break": (
        Kind.UNREADABLE,
        lambda t: change(t, "P#p", doc='{"id":"p","boot":{"kernel":"/k\\nshell"}}'),
    ),
    "profile is not JSON": (Kind.UNREADABLE, lambda t: change(t, "P#p", doc="[]")),
    "template has nothing": (Kind.UNREADABLE, lambda t: change(t, "T#generic#t", at=None, size=None)),
    "stranger": (Kind.UNKNOWN, lambda t: change(t, "X#1", a="b")),
    "object is gone": (Kind.LOST_OBJECT, move_object),
    "object has another size": (Kind.LOST_OBJECT, lambda t: change(t, "T#generic#t", size=39_999)),
}


def found_in(table: CatalogTable, ages: Ages | None = None) -> list[tuple[Kind, bool]]:
    """All that a repair finds, and whether it is repaired."""
    return [(found.kind, found.repaired) for found in table.fsck(repair=True, ages=ages)]


def damage(table: CatalogTable, *, repair: bool) -> list[tuple[Kind, bool]]:
    return [(found.kind, found.repaired) for found in table.fsck(repair=repair) if found.kind.is_damage]


def test_sound_table_has_no_findings(sound: CatalogTable) -> None:
    """Groups were moved and deleted in it."""
    sound.fill(Group("node", profile="p", selector={"mac": "2"}), Group("gone", profile="p", selector={"mac": "3"}))
    sound.writer.delete_group("gone")
    assert [] == sound.fsck()


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_found_and_repaired(sound: CatalogTable, name: str) -> None:
    """A check without repair changes nothing."""
    kind, harm = DAMAGE[name]
    harm(sound)
    assert {(kind, False)} == set(damage(sound, repair=False))
    assert {(kind, True)} == set(damage(sound, repair=True))
    assert [] == [found for found in sound.fsck() if found.kind.is_damage]
    node = None if name == "group is gone" else Selection(NODE, PROFILE)
    labels = {"mac": "1"}
    assert (node or Selection(Group("default", profile="p"), PROFILE)) == sound.reader().select(labels)
    assert Selection(OTHER, PROFILE) == sound.reader().select({"os": "a"})
    assert Selection(LISTS, PROFILE) == sound.reader().select({"zone": "y", "rack": "2"})


def test_missing_group_is_removed_from_all_its_entries(sound: CatalogTable) -> None:
    delete(sound, "G#lists")
    assert [(Kind.DANGLING, True)] * 4 == damage(sound, repair=True)
    assert [] == damage(sound, repair=False)
    assert Selection(Group("default", profile="p"), PROFILE) == sound.reader().select({"zone": "x", "rack": "2"})


def test_tombstones_of_lists_are_removed(sound: CatalogTable) -> None:
    sound.fill(LISTS._replace(selector={"zone": ("y", "z"), "rack": "1"}))
    kinds = [found.kind for found in sound.fsck(repair=True, ages=NOW._replace(shape=300))]
    assert [Kind.TOMBSTONE] * 3 == kinds
    entries = [sound.entry({"zone": zone, "rack": rack}) for zone in "xyz" for rack in "12"]
    assert [False, False, True, False, True, False] == [entry is not None for entry in entries]


@pytest.mark.parametrize("name", BEYOND_REPAIR)
def test_damage_that_needs_an_import_remains(sound: CatalogTable, name: str) -> None:
    kind, harm = BEYOND_REPAIR[name]
    harm(sound)
    assert [(kind, False)] == damage(sound, repair=False)
    assert [(kind, False)] == damage(sound, repair=True)


def test_old_tombstones_are_garbage(sound: CatalogTable) -> None:
    """An entry with nothing else goes with them."""
    sound.fill(Group("second", profile="p", selector={"mac": "1"}), Group("node", profile="p", selector={"mac": "2"}))
    sound.writer.delete_group("other")
    assert [] == sound.fsck(repair=True)
    assert [Kind.TOMBSTONE] * 2 == [found.kind for found in sound.fsck(repair=True, ages=NOW._replace(shape=300))]
    shared = sound.entry({"mac": "1"})
    assert shared is not None
    assert (None, {"S": "p"}) == (shared.get(member_name("node")), shared.get(member_name("second")))
    assert sound.entry({"os": "a"}) is None


def test_empty_entry_is_garbage(sound: CatalogTable) -> None:
    change(sound, key_of(OTHER), g_other=None)
    delete(sound, "G#other")
    assert [(Kind.EMPTY_ENTRY, True)] == found_in(sound)
    assert sound.entry({"os": "a"}) is None


def test_unused_shape_is_marked_then_removed(sound: CatalogTable) -> None:
    sound.writer.delete_group("other")
    sound.fsck(repair=True, ages=NOW._replace(shape=300))
    assert [[(Kind.UNUSED_SHAPE, False)]] * 2 == [found_in(sound), found_in(sound)]
    assert '["os"]' in shapes(sound)
    assert [(Kind.UNUSED_SHAPE, True)] == [(found.kind, found.repaired) for found in sound.fsck(repair=True, ages=NOW)]
    assert {"[]", '["mac"]', '["rack","zone"]'} == shapes(sound)


def test_writer_removes_the_mark_of_a_shape(sound: CatalogTable) -> None:
    sound.writer.delete_group("other")
    sound.fsck(repair=True, ages=NOW._replace(shape=300))
    sound.fsck(repair=True)
    sound.new_writer().put_group(OTHER)
    sound.new_writer().delete_group("other")
    sound.fsck(repair=True, ages=NOW._replace(shape=300))
    assert [(Kind.UNUSED_SHAPE, False)] == found_in(sound)
    sound.new_writer().put_group(OTHER)
    assert [] == [found for found in sound.fsck(repair=True, ages=NOW) if found.kind is Kind.UNUSED_SHAPE]
    assert Selection(OTHER, PROFILE) == sound.reader().select({"os": "a"})


def test_unused_object_is_garbage_after_a_day(sound: CatalogTable) -> None:
    sound.writer.put_template("generic", "t", b"short")
    assert [] == sound.fsck(repair=True)
    assert [(Kind.UNUSED_OBJECT, True)] == [(found.kind, found.repaired) for found in sound.fsck(repair=True, ages=NOW)]
    assert "Contents" not in sound.s3_client.list_objects_v2(Bucket=sound.name, Prefix="templates/")


def test_object_of_an_unreadable_item_is_not_garbage(sound: CatalogTable) -> None:
    change(sound, "T#generic#t", size="large")
    assert [(Kind.UNREADABLE, False)] == found_in(sound, NOW)


def test_absent_names_and_overlaps_are_notes(sound: CatalogTable) -> None:
    sound.writer.put_profile(Profile("q", cloud_id="none"))
    sound.fill(Group("a", profile="absent", selector={"mac": "1"}))
    sound.fill(Group("some", profile="p", selector={"zone": "x", "rack": ("2", "3")}))
    assert [
        (Kind.NOTE, "group 'a' names profile 'absent', which is absent"),
        (Kind.NOTE, "groups a, node have the same selectors: a is chosen"),
        (Kind.NOTE, "groups lists, some both select rack=2,zone=x: lists is chosen for it"),
        (Kind.NOTE, "profile 'q' names cloud template 'none', which is absent"),
    ] == sorted((found[:2] for found in sound.fsck()), key=lambda fault: fault[1])


def shapes(table: CatalogTable) -> set[str]:
    return set(table.client.get_item(TableName=table.name, Key={"pk": {"S": SHAPES}})["Item"]) - {"pk"}
