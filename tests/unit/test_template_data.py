from hypothesis import given
from hypothesis import strategies as st

from matchbox.template_data import template_data


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
