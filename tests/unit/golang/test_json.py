import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.golang.json import Fractional, JsonError, Members, compact, decode

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def plain(value: object) -> object:
    if isinstance(value, Members):
        return {key: plain(one) for key, one in value}
    return [plain(one) for one in value] if isinstance(value, list) else value


@given(JSON)
def test_written_json_is_read_back(value: object) -> None:
    assert value == plain(decode(compact(value).encode()))
    assert value == json.loads(compact(value))


def test_markup_separators_and_control_characters_are_escaped() -> None:
    expected = r'{"\u003c\u003e\u0026":"\u2028\u2029\b\f\n\r\t\"\\\u0001' + "\x7f\u017c" + '"}'
    assert expected == compact({"<>&": '\u2028\u2029\b\f\n\r\t"\\\x01\x7f\u017c'})


def test_repeated_members_are_kept() -> None:
    assert Members([("a", 1), ("b", 2), ("a", 3)]) == decode(b'{"a":1,"b":2,"a":3}')


@pytest.mark.parametrize("number", [b"1.0", b"1e3", b"-1.5", b"1" * 5000])
def test_other_numbers_than_integers_have_no_value(number: bytes) -> None:
    assert isinstance(decode(number), Fractional)


def test_invalid_bytes_and_lone_surrogates_are_replaced() -> None:
    assert decode(b'"\xff"') == "\ufffd"
    assert decode(rb'{"\ud800\udc41": "\ud800x"}') == Members([("\U00010041", "\ufffdx")])


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "not JSON at line 1, column 1: expecting value"),
        (b'{\n"a": }', "not JSON at line 2, column 6: expecting value"),
        (b'"hunter2', "not JSON at line 1, column 1: unterminated string"),
        (b'"\t"', "not JSON at line 1, column 2: invalid control character"),
        (b"1 2", "not JSON at line 1, column 3: extra data"),
        (b"-Infinity", "not JSON: invalid number -Infinity"),
        (b"[" * 200_000, "not JSON: nested too deeply"),
    ],
)
def test_errors_say_where_and_why_without_the_text(raw: bytes, reason: str) -> None:
    with pytest.raises(JsonError) as caught:
        decode(raw)
    assert reason == str(caught.value)
