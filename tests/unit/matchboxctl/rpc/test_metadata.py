import math
import struct

import pytest
from grpc import StatusCode
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.golang.json import compact, indented
from matchboxctl.rpc import matchbox_pb2 as pb
from matchboxctl.rpc.messages import group_in
from matchboxctl.rpc.metadata import MAX_DEPTH, MetadataError, read_metadata, write_metadata
from matchboxctl.rpc.status_codes import StatusError

TEXTS = st.text(max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | TEXTS | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=4)


@given(OBJECTS)
def test_metadata_round_trip(metadata: dict[str, object]) -> None:
    raw = write_metadata(metadata)
    assert metadata == read_metadata(raw)
    assert raw == write_metadata(read_metadata(raw))
    assert metadata == read_metadata(indented(metadata).encode())


@given(st.binary(min_size=8, max_size=8))
def test_floats_round_trip(bits: bytes) -> None:
    """They have an exponent only below 1e-6 and from 1e21 on."""
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
def test_scalars_are_written_as_by_go(value: object, text: str) -> None:
    """Except that integers keep all digits."""
    assert text == compact(value)


def test_large_integers_are_sent_as_floats() -> None:
    """As Go reads them."""
    assert b'{"a":[12345678901234567000]}' == write_metadata({"a": [12345678901234567890]})


def test_indented_json() -> None:
    value = {"b": {}, "a": [1, [], {"c": None}]}
    assert '{\n\t"b": {},\n\t"a": [\n\t\t1,\n\t\t[],\n\t\t{\n\t\t\t"c": null\n\t\t}\n\t]\n}' == indented(value)


@pytest.mark.parametrize("raw", [b"", b"null", b" {} "])
def test_empty_metadata(raw: bytes) -> None:
    assert {} == read_metadata(raw)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b" ", "not JSON: line 1, column 2: Expecting value"),
        (b'{"a":\n 1.}', "not JSON: line 2, column 3: Expecting ',' delimiter"),
        (b'{"a":NaN}', "not JSON: NaN"),
        (b"[{}]", "not a JSON object"),
        (b'{"a": -1e999}', "the number -1e999 is too large"),
        (b'{"a":' * (MAX_DEPTH + 1), "not JSON: line 1, column 1006: Expecting value"),
        (b'{"a":' * 200 + b"[]" + b"}" * 200, "nested more than 200 levels deep"),
        (b'{"a":' + b"[" * 100_000, "nested more than 200 levels deep"),
    ],
)
def test_invalid_metadata(raw: bytes, message: str) -> None:
    with pytest.raises(MetadataError) as raised:
        read_metadata(raw)
    assert message == str(raised.value)


def test_message_names_group() -> None:
    with pytest.raises(StatusError, match=r"^invalid metadata of group 'g': not a JSON object$") as raised:
        group_in(pb.Group(id="g", profile="p", metadata=b"[]"))
    assert StatusCode.UNKNOWN == raised.value.code


def test_deepest_metadata_is_read_and_written() -> None:
    raw = b'{"a":' * MAX_DEPTH + b"1" + b"}" * MAX_DEPTH
    assert raw == write_metadata(read_metadata(raw))


def test_bytes_that_are_not_utf8() -> None:
    """Each is one U+FFFD, as is each lone surrogate; a surrogate pair is one character."""
    raw = b'{"a":"\xe6\xa9 \xf0\x9f\x98", "b":"\\ud83d\\ude00 \\ud83d\\ud83d"}'
    assert {"a": "\ufffd\ufffd \ufffd\ufffd\ufffd", "b": "\U0001f600 \ufffd\ufffd"} == read_metadata(raw)
