"""The operator is told of groups that ask for the same machines."""

from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.catalog.group_index import GroupIndex
from lambda_matchbox.catalog.groups import Group, SelectorValue
from lambda_matchbox.catalog.overlaps import Overlap
from lambda_matchbox.catalog.selection import selector_of, selectors_of, sort_key

WANTED = st.sampled_from(["1", "2", ("1", "2"), ("2", "3"), ("1", "2", "3")])
GROUPS = st.lists(
    st.builds(Group, id=st.sampled_from("abcdef"), selector=st.fixed_dictionaries({"k": WANTED})),
    unique_by=lambda group: group.id,
)


def overlaps(**selectors: dict[str, SelectorValue]) -> list[Overlap]:
    return GroupIndex(Group(name, selector=selector) for name, selector in selectors.items()).overlaps()


def test_all_in_common() -> None:
    """Groups with the same selectors are told of together, once, in whatever order their lists are."""
    assert [Overlap(("a", "b", "c"))] == overlaps(
        b={"mac": ("1", "2"), "os": ("x", "y")},
        a={"mac": ("2", "1"), "os": ("x", "y")},
        c={"os": ("y", "x"), "mac": ("1", "2")},
    )
    assert "groups a, b have the same selectors: a is chosen" == str(Overlap(("a", "b")))


def test_some_in_common() -> None:
    """Two groups that share some of their selectors are told of once, with the greatest of those."""
    found = overlaps(a={"mac": ("1", "2", "3")}, b={"mac": ("2", "3", "4")}, c={"mac": "1"}, d={"os": "1"})
    expected = [Overlap(("a", "c"), selector_of({"mac": "1"})), Overlap(("a", "b"), selector_of({"mac": "3"}))]
    assert sorted(expected) == sorted(found)
    assert "groups a, b both select mac=3: a is chosen for it" == str(expected[1])


def test_long_example() -> None:
    """A selector that is long is shown in part."""
    (found,) = overlaps(a={"k": ("x" * 5_000, "y")}, b={"k": "x" * 5_000})
    assert len(str(found)) < 300


@given(GROUPS)
def test_every_pair_is_told_of_once(groups: list[Group]) -> None:
    """Each two groups, one of which is chosen in the other's place, are in one line, and no others are."""
    told = [(found.ids[0], other) for found in GroupIndex(groups).overlaps() for other in found.ids[1:]]
    holders: dict[object, list[str]] = {}
    for group in groups:
        for selector in selectors_of(group.selector):
            holders.setdefault(selector, []).append(group.id)
    expected = {(min(ids, key=sort_key), other) for ids in holders.values() for other in ids} - {
        (group.id, group.id) for group in groups
    }
    assert len(told) == len(set(told))
    assert expected == set(told)
