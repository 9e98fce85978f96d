"""Groups that select the same machines are reported."""

from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.catalog.group_index import GroupIndex
from lambda_matchbox.catalog.groups import Group, SelectorValue
from lambda_matchbox.catalog.overlaps import Overlap
from lambda_matchbox.catalog.selection import selectors_of, sort_key

WANTED = st.sampled_from(["1", "2", ("1", "2"), ("2", "3"), ("1", "2", "3")])
GROUPS = st.lists(
    st.builds(Group, id=st.sampled_from("abcdef"), selector=st.fixed_dictionaries({"k": WANTED}), metadata=st.just({})),
    unique_by=lambda group: group.id,
)


def overlaps(**selectors: dict[str, SelectorValue]) -> list[Overlap]:
    return GroupIndex(Group(name, selector=selector) for name, selector in selectors.items()).overlaps()


def test_groups_with_equal_selectors_are_one_overlap() -> None:
    assert [Overlap(("a", "b", "c"))] == overlaps(
        b={"mac": ("1", "2"), "os": ("x", "y")},
        a={"mac": ("2", "1"), "os": ("x", "y")},
        c={"os": ("y", "x"), "mac": ("1", "2")},
    )
    assert "groups a, b have the same selectors: a is chosen" == str(Overlap(("a", "b")))


def test_two_groups_that_share_selectors_are_one_overlap() -> None:
    """Its example is the greatest of the shared selectors."""
    found = overlaps(a={"mac": ("1", "2", "3")}, b={"mac": ("2", "3", "4")}, c={"mac": "1"}, d={"os": "1"})
    expected = [Overlap(("a", "c"), selectors_of({"mac": "1"})[0]), Overlap(("a", "b"), selectors_of({"mac": "3"})[0])]
    assert sorted(expected) == sorted(found)
    assert "groups a, b both select mac=3: a is chosen for it" == str(expected[1])


def test_a_long_selector_is_shortened() -> None:
    (found,) = overlaps(a={"k": ("x" * 5_000, "y")}, b={"k": "x" * 5_000})
    assert len(str(found)) < 300


@given(GROUPS)
def test_every_overlapping_pair_is_reported_once(groups: list[Group]) -> None:
    reported = [(found.ids[0], other) for found in GroupIndex(groups).overlaps() for other in found.ids[1:]]
    holders: dict[object, list[str]] = {}
    for group in groups:
        for selector in selectors_of(group.selector):
            holders.setdefault(selector, []).append(group.id)
    expected = {(min(ids, key=sort_key), other) for ids in holders.values() for other in ids} - {
        (group.id, group.id) for group in groups
    }
    assert len(reported) == len(set(reported))
    assert expected == set(reported)
