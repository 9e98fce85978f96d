import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.answers.metadata import respond
from tests.unit.gotemplate.rendered_recordings import Recording, recordings


@pytest.mark.parametrize("recording", list(recordings("rendering", "metadata")), ids=lambda recording: recording.target)
def test_as_recorded(recording: Recording) -> None:
    """The lines are those that matchbox answered, in whatever order."""
    assert recording.answer is not None
    assert sorted(recording.answer.splitlines()) == sorted(respond(recording.data).body.splitlines())


def test_order() -> None:
    """Entries are sorted by key, so that the same data give the same answer."""
    assert respond({"c": "4", "b": {"d": {"e": "3"}, "c": "2"}, "a": "1"}).body == b"A=1\nB_C=2\nB_D_E=3\nC=4\n"


def test_kinds() -> None:
    """Lists and nulls have no line; a number is written as a float64, true as true."""
    data = {"list": [1], "null": None, "int": 1_000_000, "float": 1.5, "yes": True, "no": False}
    assert respond(data).body == b"FLOAT=1.5\nINT=1e+06\nNO=false\nYES=true\n"


def test_upper_case_letter_by_letter() -> None:
    """A letter without an upper-case letter of its own stays, and a byte that is no UTF-8 becomes U+FFFD in a key."""
    assert "\u00df\ufffdÉ=\n".encode() == respond({"\u00df\udcffé": ""}).body


def test_letters_of_the_block_of_stand_ins() -> None:
    """A letter of the block that stands for stray bytes inside is itself in a key."""
    assert "A\U0010fe80=v\n".encode() == respond({"a\U0010fe80": "v"}).body


def test_bytes_of_a_value() -> None:
    """A byte of a query that is no UTF-8 comes out as it is."""
    assert respond({"a": "\udcff"}).body == b"A=\xff\n"


def test_deep_data() -> None:
    """Depth does not matter."""
    deep: object = "x"
    for _ in range(5000):
        deep = {"a": deep}
    assert respond({"a": deep}).body.endswith(b"A_A=x\n")


@given(st.dictionaries(st.text("ab_é"), st.text(st.characters(exclude_categories=["Cs"])), max_size=4))
def test_each_string_has_its_line(data: dict[str, str]) -> None:
    """The answer is the entries and nothing else."""
    body = respond(data).body
    entries = [f"{key.upper()}={value}\n".encode() for key, value in data.items()]
    assert sum(map(len, entries)) == len(body)
    assert all(entry in body for entry in entries)
