"""Selection follows matchbox's rule, however the groups are stored."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.catalog import group_index
from lambda_matchbox.catalog.group_index import GroupIndex
from lambda_matchbox.catalog.groups import Group, SelectorValue
from lambda_matchbox.catalog.labels import is_mac
from lambda_matchbox.catalog.overlaps import Overlap
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.catalog.selection import combinations, matches, selectors_of, stands_for
from lambda_matchbox.catalog.stores import Selection
from tests.support.memory_catalog import MemoryCatalog
from tests.support.plain_rule import select

# Keys and values that often coincide, and that break a rule which joins them carelessly.
KEYS = st.sampled_from(["", "mac", "os", "a", "a=b", "b,a", ",", "=", "\u00e9", "\ue000", "\U0001f422", "\udcff"])
VALUES = st.sampled_from(
    ["", "a", "b", "b,a=c", "=", ",", "a,", "x" * 4096, "x" * 4096 + "y", "\ue000", "\U0001f422", "\udcff"]
)
WANTED = VALUES | st.lists(VALUES, min_size=1, max_size=3, unique=True).map(tuple)
SELECTORS = st.dictionaries(KEYS, WANTED, max_size=4)
LABELS = st.dictionaries(KEYS, VALUES, max_size=8)
IDS = st.sampled_from(["", "a", "A", "b", "aa", "z", "\ue000", "\U0001f422", "\udcff"])
GROUPS = st.lists(
    st.builds(Group, id=IDS, selector=SELECTORS, metadata=st.just({})), max_size=9, unique_by=lambda group: group.id
)


@given(GROUPS.flatmap(lambda groups: st.tuples(st.just(groups), st.permutations(groups))), LABELS)
def test_order_of_groups_does_not_matter(orders: tuple[list[Group], list[Group]], labels: dict[str, str]) -> None:
    first, second = orders
    assert select(first, labels) == select(second, labels)
    assert GroupIndex(first).select(labels) == GroupIndex(second).select(labels)


@given(SELECTORS, KEYS, VALUES, LABELS)
def test_another_selector_never_widens_a_group(
    selector: dict[str, SelectorValue], key: str, value: str, labels: dict[str, str]
) -> None:
    narrow = matches(Group("narrow", selector=selector | {key: value}), labels)
    without = {name: wanted for name, wanted in selector.items() if name != key}
    assert not narrow or matches(Group("wide", selector=without), labels)


@given(GROUPS, LABELS)
def test_index_follows_the_plain_rule(groups: list[Group], labels: dict[str, str]) -> None:
    assert select(groups, labels) == GroupIndex(groups).select(labels)


def test_index_tells_selectors_with_the_same_hash_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_index, "hash", lambda _: 7, raising=False)
    groups = [Group("a", selector={"os": "1"}), Group("b", selector={"os": "2"}), Group("c", selector={"rack": "1"})]
    index = GroupIndex(groups)
    for labels in ({"os": "1"}, {"os": "2"}, {"os": "3"}, {"rack": "1"}, {"os": "1", "rack": "1"}):
        assert select(groups, labels) == index.select(labels)
    assert not index.overlaps()
    index.discard("a")
    assert select(groups[1:], {"os": "1"}) == index.select({"os": "1"})


@given(GROUPS.filter(bool).flatmap(lambda groups: st.tuples(st.just(groups), st.sampled_from(groups))), LABELS)
def test_index_follows_the_plain_rule_for_matching_labels(
    chosen: tuple[list[Group], Group], others: dict[str, str]
) -> None:
    groups, group = chosen
    labels = others | {key: one if isinstance(one, str) else one[-1] for key, one in group.selector.items()}
    expected = select(groups, labels)
    no_address = any(is_mac(key) and not labels[key] for key in group.selector)
    assert no_address or expected is not None
    assert expected == GroupIndex(groups).select(labels)


@given(st.lists(st.tuples(st.booleans(), IDS, SELECTORS), max_size=25), st.lists(LABELS, min_size=1, max_size=4))
def test_index_follows_changes(
    changes: list[tuple[bool, str, dict[str, SelectorValue]]], machines: list[dict[str, str]]
) -> None:
    index, left = GroupIndex(), dict[str, Group]()
    for put, group_id, selector in changes:
        if put:
            left[group_id] = Group(group_id, selector=selector)
            index.put(left[group_id])
        else:
            left.pop(group_id, None)
            index.discard(group_id)
        assert len(left) == len(index)
        for labels in (*machines, dict(selectors_of(selector)[-1].pairs)):
            assert select(left.values(), labels) == index.select(labels)
    assert sorted(map(str, GroupIndex(left.values()).selectors())) == sorted(map(str, index.selectors()))


@given(GROUPS, LABELS, st.data())
def test_a_group_with_lists_equals_its_combinations(
    groups: list[Group], labels: dict[str, str], data: st.DataObject
) -> None:
    plain = [
        # The zero keeps the order of the ids.
        Group(f"{group.id}\0{at}", selector=dict(one.pairs))
        for group in groups
        for at, one in enumerate(selectors_of(group.selector))
    ]
    if groups and data.draw(st.booleans()):
        labels |= dict(data.draw(st.sampled_from(selectors_of(data.draw(st.sampled_from(groups)).selector))).pairs)
    expected = select(plain, labels)
    for chosen in (select(groups, labels), GroupIndex(groups).select(labels)):
        assert (expected and expected.id.partition("\0")[0]) == (chosen and chosen.id)


@given(SELECTORS, SELECTORS)
def test_each_combination_of_a_selector_is_listed_once(
    selector: dict[str, SelectorValue], other: dict[str, SelectorValue]
) -> None:
    ones = selectors_of(selector)
    assert combinations(selector) == len(ones) == len(set(ones))
    assert [True] * len(ones) == [stands_for(selector, one) for one in ones]
    assert [one in ones for one in selectors_of(other)] == [stands_for(selector, one) for one in selectors_of(other)]


@pytest.mark.parametrize(
    ("selectors", "labels", "expected"),
    [
        ([{}, {"os": "a"}], {"os": "a"}, 1),
        ([{}, {"os": "a"}], {"os": "b"}, 0),
        ([{"os": "a"}], {"os": "b"}, None),
        ([{"a": "1"}, {"b": "1"}], {"a": "1", "b": "1"}, 1),
        ([{"a": "1", "b": "1"}, {"c": "1"}], {"a": "1", "b": "1", "c": "1"}, 0),
        ([{}, {"os": ""}], {}, 1),
        ([{"os": ""}], {"os": "a"}, None),
        ([{"\U0001f422": ""}, {"\ue000": ""}], {}, 0),
        ([{"a": ""}, {"a": "\x00"}], {"a": ""}, 0),
        # The tie is between the machine's own values, `a=1`: the other listed values do not count.
        ([{"a": ("1", "9"), "y": "1"}, {"a": "1", "z": "1"}], {"a": "1", "y": "1", "z": "1"}, 1),
        ([{"a": "1", "y": "1"}, {"a": ("0", "1"), "z": "1"}], {"a": "1", "y": "1", "z": "1"}, 1),
        ([{"z": ("1", "9")}, {"z": "5"}], {"z": "1"}, 0),
        ([{"os": ("", "a")}], {}, 0),
        ([{}, {"os": ("a", "b")}], {"os": "c"}, 0),
        ([{"mac": ""}], {}, None),
        ([{"os": "a"}, {"os": "a", "MAC": ""}], {"os": "a"}, 0),
    ],
)
def test_most_selectors_win_then_the_greatest(
    selectors: list[dict[str, SelectorValue]], labels: dict[str, str], expected: int | None
) -> None:
    groups = [Group(str(at), selector=selector) for at, selector in enumerate(selectors)]
    chosen = None if expected is None else groups[expected]
    assert chosen == select(groups, labels)
    assert chosen == GroupIndex(groups).select(labels)


@pytest.mark.parametrize(
    ("selectors", "expected"),
    [([], None), ([{"os": ""}], None), ([{"os": "a"}, {}], 1)],
)
def test_no_labels_select_a_group_without_selectors_only(selectors: list[dict[str, str]], expected: int | None) -> None:
    groups = [Group(str(at), selector=selector) for at, selector in enumerate(selectors)]
    assert (None if expected is None else groups[expected]) == GroupIndex(groups).select(None)


def test_smaller_id_wins_among_equal_selectors() -> None:
    ids = ["b", "a", "\U0001f422", "\ue000"]
    index = GroupIndex(Group(group_id, selector={"os": "a"}) for group_id in ids)
    assert [Overlap(("a", "b", "\ue000", "\U0001f422"))] == index.overlaps()
    chosen = index.select({"os": "a"})
    assert chosen is not None
    assert "a" == chosen.id


def test_order_of_keys_does_not_matter() -> None:
    groups = [Group("a", selector={"x": "1", "y": "2"}), Group("b", selector={"y": "2", "x": "1"})]
    assert [Overlap(("a", "b"))] == GroupIndex(groups).overlaps()


def test_a_selection_has_the_profile_if_it_exists() -> None:
    there, absent = Group("there", profile="p", selector={"os": "a"}), Group("absent", profile="q")
    catalog = MemoryCatalog([there, absent], [Profile("p")], {("cloud", "c"): b"text"})
    assert Selection(there, Profile("p")) == catalog.select({"os": "a"})
    assert Selection(absent, None) == catalog.select({})
    assert b"text" == catalog.template("cloud", "c")
    assert catalog.template("generic", "c") is None
    assert MemoryCatalog().select({}) is None
