"""Groups that fit into shared items."""

from collections.abc import Iterable
from typing import Any

from lambda_matchbox.aws.bulk.capacity import fitting
from lambda_matchbox.aws.catalog.table_contents import TableContents
from lambda_matchbox.aws.keys import KEY, MAX_ITEM_SIZE, SHAPES, entry_key, member_name, selector_text, shape_name
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.catalog.selection import selectors_of
from lambda_matchbox.catalog.templates import CatalogDocument, Template

Item = dict[str, Any]


def found(shapes: Iterable[Group] = (), entry: Item | None = None) -> TableContents:
    """A table with the shapes of these groups, and an entry."""
    named: Item = {shape_name(selectors_of(group.selector)[0].shape): {} for group in shapes}
    entries = {} if entry is None else {entry[KEY]: entry}
    return TableContents({}, {}, {}, entries, {KEY: SHAPES, **named}, None, None, {}, None, [])


def entry(selector: dict[str, str], members: dict[str, object]) -> Item:
    of = selectors_of(selector)[0]
    return {KEY: entry_key(of), "s": selector_text(of), "v": 1} | {member_name(k): v for k, v in members.items()}


def reasons(documents: Iterable[CatalogDocument]) -> list[str]:
    """Why groups do not fit into an empty table."""
    given: list[str] = []
    list(fitting(documents, found(), lambda _, reason: given.append(reason)))
    return given


def refused(documents: Iterable[CatalogDocument], table: TableContents) -> list[str]:
    """The ids of the groups that do not fit; all others do, in whatever order they come."""
    given, refusals = list(documents), list[str]()
    kept = [document.id for document in fitting(given, table, lambda group, _: refusals.append(group.id))]
    assert sorted(document.id for document in given) == sorted([*kept, *refusals])
    return refusals


def of_shapes(count: int, size: int) -> list[Group]:
    """Groups of as many shapes, each with a key of so many bytes."""
    return [Group(f"{number:04}", selector={f"{number:04}".ljust(size, "k"): "x"}) for number in range(count)]


def test_shapes_fit_up_to_the_item_limit() -> None:
    """Shapes that the table already has count once."""
    groups = of_shapes(150, 3_000)
    most = (MAX_ITEM_SIZE - 200) // (3_000 + 4 + 40)
    expected = [group.id for group in groups[most:]]
    assert expected == refused(reversed(groups), found())
    assert expected == refused(groups, found(groups[:most]))
    assert expected == refused(groups, found(groups[1:most]))


def test_existing_shapes_have_priority() -> None:
    groups = of_shapes(8, 60_000)
    assert ["0000", "0001"] == refused(groups, found(groups[2:]))
    assert [] == refused([groups[7]], found(groups[2:]))


def test_count_of_one_group_is_grammatical() -> None:
    (reason,) = reasons([Group(name, profile="p" * 300_000) for name in "ab"])
    assert reason.endswith("DynamoDB's limit for an item (other groups, deleted ones included: 1)")


def test_shape_over_the_name_limit_is_refused() -> None:
    assert ["b"] == refused([Group("a"), Group("b", selector={"x" * 65_532: "x"}), Group("c")], found())
    assert [] == refused([Group("b", selector={"x" * 65_531: "x"})], found())


def test_entry_counts_groups_of_table_and_directory_once() -> None:
    groups = [Group(name, profile="p" * 150_000, selector={"os": "a"}) for name in "abc"]
    others: list[CatalogDocument] = [Group("d", selector={"os": "b"}), Profile("p"), Template("generic", "t", b"")]
    assert ["c"] == refused([*others, *groups], found())
    has = found(entry=entry({"os": "a"}, {"b": "p" * 150_000, "c": "p" * 150_000}))
    assert ["a"] == refused(groups, has)
    assert [] == refused(groups[1:], has)
    # A group that takes less than it did makes room for the next.
    assert ["b"] == refused(
        [Group("a", profile="p", selector={"os": "a"}), *groups[1:]],
        found(entry=entry({"os": "a"}, {"a": "p" * 100_000, "c": "p" * 300_000})),
    )


def test_group_that_one_entry_refuses_is_in_none() -> None:
    groups = [
        Group("a", profile="p" * 300_000, selector={"os": "b"}),
        Group("b", profile="p" * 150_000, selector={"os": ("a", "b", "c")}),
        Group("c", profile="p" * 300_000, selector={"os": ("a", "c")}),
        Group("d", profile="p" * 150_000, selector={"os": ("a", "d")}),
    ]
    assert ["b", "d"] == refused(groups, found())


def test_tombstones_count() -> None:
    has = found(entry=entry({}, {"x" * 1_000 + str(number): 1 for number in range(402)}))
    assert ["new"] == refused([Group("new", profile="p" * 2_000)], has)
    assert [] == refused([Group("new", profile="p")], has)
