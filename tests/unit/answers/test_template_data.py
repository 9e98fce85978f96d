from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.answers.template_data import data_of, template_data
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.catalog.stores import Selection


def test_selector_overrides_metadata() -> None:
    """Under lower-case keys."""
    data = template_data({"role": 1, "Role": 2, "a": 3}, {"Role": "x"}, {}, "")
    assert data == {"role": "x", "Role": 2, "a": 3, "request": {"query": {}, "raw_query": ""}}


def test_request_overrides_metadata_and_selector() -> None:
    data = template_data({"request": "a"}, {"Request": "b"}, {"k": "v"}, "k=v")
    assert data == {"request": {"query": {"k": "v"}, "raw_query": "k=v"}}


def test_selector_list_shows_the_machines_value() -> None:
    labels = {"MAC": "52:54:00:00:00:02", "arch": "arm64"}
    listed = template_data({"mac": 1}, {"MAC": ("52:54:00:00:00:01", "52:54:00:00:00:02"), "os": ("", "x")}, labels, "")
    assert template_data({"mac": 1}, {"MAC": "52:54:00:00:00:02", "os": ""}, labels, "") == listed


def test_order_is_profile_group_selector_request() -> None:
    profile = Profile("p", metadata={"a": {"x": 1, "y": 1}, "b": {"x": 1, "y": 1}, "c": 1, "os": 1, "request": 1})
    group = Group("g", profile="p", selector={"OS": ("x", "y")}, metadata={"b": {"x": 2}, "c": None, "os": 2})
    expected = {
        "a": {"x": 1, "y": 1},
        "b": {"x": 2},
        "c": None,
        "os": "y",
        "request": {"query": {"OS": "y"}, "raw_query": "OS=y"},
    }
    assert expected == data_of(Selection(group, profile), {"OS": "y"}, "OS=y")
    assert {"a", "b", "c", "os", "request"} == profile.metadata.keys()


def test_absent_profile_leaves_the_groups_metadata() -> None:
    data = data_of(Selection(Group("g", profile="p", metadata={"a": 1}), None), {}, "")
    assert {"a": 1, "request": {"query": {}, "raw_query": ""}} == data


@given(st.permutations([("A", "1"), ("a", "2"), ("B", "3")]))
def test_keys_that_differ_in_case_have_a_fixed_winner(pairs: list[tuple[str, str]]) -> None:
    data = template_data({}, dict(pairs), {}, "")
    assert (data["a"], data["b"]) == ("2", "3")


def test_arguments_are_not_changed() -> None:
    metadata = {"a": 1}
    template_data(metadata, {"b": "c"}, {}, "")
    assert metadata == {"a": 1}
