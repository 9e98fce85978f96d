"""A group's metadata passes through Go's JSON."""

import json
import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.golang.json_encoder import compact, indented
from matchboxctl.rpc.go_json_faults import DEEPEST, json_fault
from matchboxctl.rpc.go_metadata import MetadataError, read_metadata, write_metadata

TEXTS = st.text(max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | TEXTS | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=4)
# What breaks JSON, beside what makes it.
PIECES = st.lists(
    st.sampled_from(
        [
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            '"',
            '"a"',
            "\\",
            "\\u00e9",
            "\\x",
            *"-01.e+ \n\x00aé'\ufeff",
            "null",
            "nul",
            "true",
        ]
    ),
    max_size=10,
).map("".join)


def strict(text: str) -> object:
    """As Python reads JSON, without the words that only Python takes."""

    def refuse(word: str) -> object:
        raise ValueError(word)

    return json.loads(text, parse_constant=refuse)


@given(PIECES)
def test_a_fault_is_one(text: str) -> None:
    """What another reader of JSON takes has no fault, and what it refuses has one."""
    try:
        strict(text)
    except ValueError:
        assert json_fault(text.encode()) is not None
    else:
        assert json_fault(text.encode()) is None


@given(OBJECTS)
def test_metadata_come_back(metadata: dict[str, object]) -> None:
    """What is written and read is the same, and writing it again the same bytes."""
    raw = write_metadata(metadata)
    assert metadata == read_metadata(raw)
    assert raw == write_metadata(read_metadata(raw))
    assert metadata == read_metadata(indented(metadata).encode())


@given(st.binary(min_size=8, max_size=8))
def test_numbers_are_written_by_the_fewest_digits(bits: bytes) -> None:
    """Every float comes back from its text, which has an exponent only below 1e-6 and from 1e21 on."""
    (value,) = struct.unpack("d", bits)
    if math.isfinite(value):
        text = compact(value)
        assert struct.pack("d", float(text)) == bits
        assert ("e" in text) == (value != 0 and not 1e-6 <= abs(value) < 1e21)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-0.0, "-0"),
        (1e-6, "0.000001"),
        (9.5e-7, "9.5e-7"),
        (1e-10, "1e-10"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (5e-324, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (12345678901234567890, "12345678901234567890"),
        ("\x7f\x1f/", '"\x7f\\u001f/"'),
    ],
)
def test_writing(value: object, text: str) -> None:
    """Numbers and letters are those of Go's json.Marshal, but that whole numbers keep all digits."""
    assert text == compact(value)


def test_whole_numbers_travel_as_floats() -> None:
    """A whole number in a file, which no float has, is answered over gRPC as Go reads it."""
    assert b'{"a":[12345678901234567000]}' == write_metadata({"a": [12345678901234567890]})


def test_indented() -> None:
    """Members have lines of their own, but for those of what is empty, and there is none at the end."""
    value = {"b": {}, "a": [1, [], {"c": None}]}
    assert '{\n\t"b": {},\n\t"a": [\n\t\t1,\n\t\t[],\n\t\t{\n\t\t\t"c": null\n\t\t}\n\t]\n}' == indented(value)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", None),
        (b"null", None),
        (b"-", "unexpected end of JSON input"),
        (b'{"a":1.}', "invalid character '}' after decimal point in numeric literal"),
        (b'{"a":1e}', "invalid character '}' in exponent of numeric literal"),
        (b'{"a":-x}', "invalid character 'x' in numeric literal"),
        (b'{"a":"\\u12g4"}', "invalid character 'g' in \\u hexadecimal character escape"),
        (b"[1 2]", "invalid character '2' after array element"),
        (b'["a" "b"]', "invalid character '\"' after array element"),
        (b"\x00", "invalid character '\\x00' looking for beginning of value"),
        (b"\xff", "invalid character 'ÿ' looking for beginning of value"),
        (b"[" * (DEEPEST + 1), "invalid character '[' exceeded max depth"),
        (b"[1e999, {}]", "json: cannot unmarshal array into Go value of type map[string]interface {}"),
        (b'{"a": -1e999, "b": 1e998}', "json: cannot unmarshal number -1e999 into Go value of type float64"),
    ],
)
def test_refusals(raw: bytes, why: str | None) -> None:
    """The reason is in the words of Go's encoding/json."""
    if why is None:
        assert {} == read_metadata(raw)
        return
    with pytest.raises(MetadataError) as raised:
        read_metadata(raw)
    assert why == str(raised.value)


def test_the_deepest_is_read_and_written() -> None:
    """As deep as is taken is written as well."""
    raw = b'{"a":' * DEEPEST + b"1" + b"}" * DEEPEST
    assert raw == write_metadata(read_metadata(raw))


def test_bytes_that_are_no_utf8() -> None:
    """Each of them is a U+FFFD of its own, as is each half of a surrogate pair; a whole pair is a letter."""
    raw = b'{"a":"\xe6\xa9 \xf0\x9f\x98", "b":"\\ud83d\\ude00 \\ud83d\\ud83d"}'
    assert {"a": "\ufffd\ufffd \ufffd\ufffd\ufffd", "b": "\U0001f600 \ufffd\ufffd"} == read_metadata(raw)
