"""Every catalog agrees with the plain rule over all groups."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambda_matchbox.catalog.groups import Group, SelectorValue
from lambda_matchbox.catalog.stores import Selection
from tests.contract.catalog_subjects import NewSubject
from tests.support.plain_rule import select

VALUES = st.sampled_from(["", "1", "2", "1,b=2", "=", "ü"])
MACS = st.sampled_from(["52:54:00:12:34:56", "52:54:00:12:34:57"])
KEYS = ["a", "b", "a=1,b", "ü"]
LABELS = st.fixed_dictionaries({}, optional=dict.fromkeys(KEYS, VALUES) | {"mac": MACS})


def or_lists(values: st.SearchStrategy[str]) -> st.SearchStrategy[SelectorValue]:
    """One of the values, or several."""
    return values | st.lists(values, min_size=2, max_size=3, unique=True).map(tuple)


# Three values for each of three keys are 27 combinations.
SELECTORS = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(KEYS[:2], or_lists(VALUES)) | dict.fromkeys(KEYS[2:], VALUES) | {"mac": or_lists(MACS)}
)
GROUPS = st.lists(
    st.builds(
        lambda *fields: Group(fields[0], "", *fields[1:]), st.sampled_from("abcdef"), st.sampled_from("pq"), SELECTORS
    )
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(groups=GROUPS, asked=st.lists(LABELS, min_size=1, max_size=6), data=st.data())
def test_agrees_with_the_plain_rule(
    new_subject: NewSubject,
    groups: list[Group],
    asked: list[dict[str, str]],
    data: st.DataObject,
) -> None:
    """Every catalogue selects what the plain rule selects, after any writes, also for a reader that is warm."""
    with new_subject() as subject:
        there: dict[str, Group] = {}
        for group in groups:
            if data.draw(st.integers(0, 3)) == 0:
                subject.writer.delete_group(group.id)
                there.pop(group.id, None)
            else:
                subject.writer.put_group(group)
                there[group.id] = group
            subject.catalog.select(asked[0])
        for labels in asked:
            expected = select(there.values(), labels)
            assert (None if expected is None else Selection(expected, None)) == subject.catalog.select(labels)
