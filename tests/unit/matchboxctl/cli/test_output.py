"""Tables for a terminal, JSON and YAML for programs."""

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from matchboxctl.cli.output import as_json, as_yaml, print_result
from matchboxctl.cli.tables import description, shown, table
from matchboxctl.resources.yaml_files import YamlFileError, json_of_yaml

AMBIGUOUS = ["yes", "No", "on", "0123", "0o17", "0x1f", "1e3", "1_000", ".5", "5.", "+1", "12:30:45", "~", "null", ""]
AMBIGUOUS += ["2026-01-02", "=", "<<", "- a", "a: b", "# c", " a", "a ", "a\n", "\n a\n\n", "a\r\nb", "\x85", "\u2028"]
AMBIGUOUS += [
    "true",
    "Infinity",
    ".inf",
    ".nan",
    "é",
    "\ufeff",
    "\x7f",
    "\x9b",
    "\U0001f600",
    "'",
    '"',
    "\\",
    "%",
    "@",
    "!a",
]
# Not half a surrogate pair: no document has one.
TEXTS = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(AMBIGUOUS)
NUMBERS = st.integers(-(10**300), 10**300) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(TEXTS, VALUES, max_size=4))
def test_json_and_yaml_round_trip(document: dict[str, object]) -> None:
    """Read by PyYAML and by `create`."""
    assert document == json.loads(as_json(document))
    assert document == yaml.safe_load(as_yaml(document))
    assert [document] == list(map(json.loads, json_of_yaml(as_yaml(document).encode())))


@given(VALUES)
def test_output_has_no_control_characters(value: object) -> None:
    """Nor separators or marks of direction."""
    text = as_json(value) + as_yaml(value)
    assert [] == [one for one in text if one in "\x1b\r\x7f\x85\x9b\u2028\u202e\ufeff"]


@pytest.mark.parametrize("text", [*AMBIGUOUS, "1.5e-7", "-0", "00", "1__0"])
def test_ambiguous_strings_are_quoted(text: str) -> None:
    assert {text: [text]} == yaml.safe_load(as_yaml({text: [text]}))
    numbers = ("0123", "0o17", "0x1f", "1e3", ".5", "5.", "+1", "1.5e-7", "-0", "00")
    if text in numbers:
        assert f"'{text}':\n  - '{text}'\n" == as_yaml({text: [text]})


def test_yaml_has_block_literals_and_indented_lists() -> None:
    text = "#cloud-config\nusers:\n  - core\n"
    assert "a: |\n  #cloud-config\n  users:\n    - core\nb:\n  - ü\n" == as_yaml({"a": text, "b": ["ü"]})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("mac: 52:54:00:12:34:56", {"mac": "52:54:00:12:34:56"}),
        (
            "a: [yes, No, on, 0123, 0x1f, 1_000, 2026-01-02]",
            {"a": ["yes", "No", "on", "0123", "0x1f", "1_000", "2026-01-02"]},
        ),
        ("a: [true, null, ~, -1, 1.5, 1e3]", {"a": [True, None, None, -1, 1.5, 1000.0]}),
        ("---\n'b': |\n  x\n  y\n", {"b": "x\ny\n"}),
        ("a:", {"a": None}),
        ("1: a\ntrue: b\n~: c", {"1": "a", "true": "b", "null": "c"}),
        ("{a: {b: []}, a: 2}", {"a": 2}),
    ],
)
def test_plain_scalars_are_those_of_json(text: str, value: object) -> None:
    assert [value] == list(map(json.loads, json_of_yaml(text.encode())))


def test_json_has_the_lines_of_yaml() -> None:
    text = b"# comment\na:\n  - 1\n\n  - b: |\n      2\n    c: {d: 3,\n        e: 4}\n"
    expected = [(2, '"a"'), (3, "1"), (5, '"b"'), (7, '"c"'), (7, "3"), (8, '"e"')]
    (found,) = json_of_yaml(text)
    lines = found.decode().split("\n")
    assert [] == [(line, token) for line, token in expected if token not in lines[line - 1]]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"a: &x [1]\nb: *x", "line 2: neither JSON nor YAML: aliases are not supported"),
        (b"a: !!python/name:os.system 1", "line 1: neither JSON nor YAML: could not determine a constructor"),
        (b"a: \xff", "neither JSON nor YAML: it contains characters that YAML does not allow"),
        (b"a: \x01", "neither JSON nor YAML: it contains characters that YAML does not allow"),
        (b"? [a]\n: 1", "line 1: neither JSON nor YAML: a key is not a scalar"),
        (b"a: !!binary aGk=", "line 1: JSON cannot represent this value"),
        (b"a: 1e999", "line 1: JSON cannot represent this value"),
        (b"a: " + b"[" * 5000, "nested too deeply"),
        (b"a: " + b"9" * 5000, "line 1: JSON cannot represent this value"),
    ],
)
def test_invalid_yaml(text: bytes, why: str) -> None:
    with pytest.raises(YamlFileError) as raised:
        json_of_yaml(text)
    assert str(raised.value).startswith(why)
    assert "\n" not in str(raised.value)


@given(st.lists(st.lists(TEXTS, min_size=2, max_size=2), max_size=3))
def test_table_has_a_line_for_each_row(rows: list[list[str]]) -> None:
    lines = table(("A", "B"), rows).split("\n")
    assert len(rows) + 2 == len(lines)
    assert all(map(str.isprintable, lines))


def test_invisible_characters_are_escaped() -> None:
    assert r"a\nb\x1b[0m\u202ec ü" == shown("a\nb\x1b[0m\u202ec ü")


def test_description_aligns_values() -> None:
    facts = [("Name", ["a\tb"]), ("Selectors", ["c", "d"]), ("None", [])]
    assert "Name:       a\\tb\nSelectors:  c\n            d\nNone:       -\n" == description(facts)


@pytest.mark.parametrize(
    ("output", "printed"), [("table", "A\nb\n"), ("json", '{\n  "a": "b"\n}\n'), ("yaml", "a: b\n")]
)
def test_result_is_printed_in_each_format(
    output: str, printed: str, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    print_result(output, lambda: {"a": "b"}, lambda: table(["A"], [["b"]]))
    assert printed == capsysbinary.readouterr().out.decode()
