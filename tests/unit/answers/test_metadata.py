import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.answers.metadata import respond
from tests.unit.gotemplate.rendered_recordings import Recording, recordings


@pytest.mark.parametrize("recording", list(recordings("rendering", "metadata")), ids=lambda recording: recording.target)
def test_lines_are_as_recorded_of_matchbox(recording: Recording) -> None:
    """In any order."""
    assert recording.response is not None
    assert sorted(recording.response.splitlines()) == sorted(respond(recording.data).body.splitlines())


def test_lines_are_sorted_by_key() -> None:
    assert respond({"c": "4", "b": {"d": {"e": "3"}, "c": "2"}, "a": "1"}).body == b"A=1\nB_C=2\nB_D_E=3\nC=4\n"


def test_lists_and_nulls_have_no_line() -> None:
    """A number is formatted as a float64."""
    data = {"list": [1], "null": None, "int": 1_000_000, "float": 1.5, "yes": True, "no": False}
    assert respond(data).body == b"FLOAT=1.5\nINT=1e+06\nNO=false\nYES=true\n"


def test_keys_are_in_upper_case() -> None:
    """Letter by letter as in Go; invalid UTF-8 becomes U+FFFD."""
    assert "\u00df\ufffdÉ=\n".encode() == respond({"\u00df\udcffé": ""}).body


def test_private_use_letters_are_kept() -> None:
    """They also stand for invalid bytes internally."""
    assert "A\U0010fe80=v\n".encode() == respond({"a\U0010fe80": "v"}).body


def test_invalid_utf8_in_a_value_is_kept() -> None:
    assert respond({"a": "\udcff"}).body == b"A=\xff\n"


def test_depth_is_unlimited() -> None:
    deep: object = "x"
    for _ in range(5000):
        deep = {"a": deep}
    assert respond({"a": deep}).body.endswith(b"A_A=x\n")


@given(st.dictionaries(st.text("ab_é"), st.text(st.characters(exclude_categories=["Cs"])), max_size=4))
def test_each_string_has_its_line(data: dict[str, str]) -> None:
    body = respond(data).body
    entries = [f"{key.upper()}={value}\n".encode() for key, value in data.items()]
    assert sum(map(len, entries)) == len(body)
    assert all(entry in body for entry in entries)
