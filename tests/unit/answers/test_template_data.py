from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.answers.template_data import data_of, template_data
from lambda_matchbox.catalog.groups import Group
from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.catalog.stores import Selection


def test_selector_over_metadata() -> None:
    """The selector, its keys in lower case, hides metadata of the same name."""
    data = template_data({"role": 1, "Role": 2, "a": 3}, {"Role": "x"}, {}, "")
    assert data == {"role": "x", "Role": 2, "a": 3, "request": {"query": {}, "raw_query": ""}}


def test_request_over_all() -> None:
    """The request hides metadata and a selector of that name."""
    data = template_data({"request": "a"}, {"Request": "b"}, {"k": "v"}, "k=v")
    assert data == {"request": {"query": {"k": "v"}, "raw_query": "k=v"}}


def test_value_of_a_list() -> None:
    """Of a selector's list the machine's own value is seen, as if the group were written for it alone."""
    labels = {"MAC": "52:54:00:00:00:02", "arch": "arm64"}
    listed = template_data({"mac": 1}, {"MAC": ("52:54:00:00:00:01", "52:54:00:00:00:02"), "os": ("", "x")}, labels, "")
    assert template_data({"mac": 1}, {"MAC": "52:54:00:00:00:02", "os": ""}, labels, "") == listed


def test_order_of_all() -> None:
    """The profile's metadata lie lowest, key by key, then the group's, its selector, and the request."""
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


def test_absent_profile() -> None:
    """Where the profile is absent the group's metadata are seen alone."""
    data = data_of(Selection(Group("g", profile="p", metadata={"a": 1}), None), {}, "")
    assert {"a": 1, "request": {"query": {}, "raw_query": ""}} == data


@given(st.permutations([("A", "1"), ("a", "2"), ("B", "3")]))
def test_selector_keys_that_differ_in_case(pairs: list[tuple[str, str]]) -> None:
    """Of selector keys that differ in case only, the same one wins in whatever order they come."""
    data = template_data({}, dict(pairs), {}, "")
    assert (data["a"], data["b"]) == ("2", "3")


def test_arguments_are_not_changed() -> None:
    """The group's metadata stay as they were."""
    metadata = {"a": 1}
    template_data(metadata, {"b": "c"}, {}, "")
    assert metadata == {"a": 1}
