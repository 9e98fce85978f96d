import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.golang.text import text_of
from lambda_matchbox.golang.values import StringMap
from lambda_matchbox.gotemplate.errors import FunctionError
from lambda_matchbox.gotemplate.functions import template_functions
from lambda_matchbox.gotemplate.limits import Limits

COMPARABLE = st.one_of(
    st.tuples(st.integers(), st.integers()),
    st.tuples(st.floats(allow_nan=False), st.floats(allow_nan=False)),
    st.tuples(st.binary().map(text_of), st.binary().map(text_of)),
)


def call(name: str, *values: object) -> object:
    return template_functions(Limits(1000))[name](*values)


@given(COMPARABLE)
def test_order_is_total(pair: tuple[object, object]) -> None:
    outcome = {name: call(name, *pair) for name in ("eq", "ne", "lt", "le", "gt", "ge")}
    assert [outcome["lt"], outcome["eq"], outcome["gt"]].count(True) == 1
    assert outcome["le"] == (outcome["lt"] or outcome["eq"])
    assert outcome["ge"] == (outcome["gt"] or outcome["eq"])
    assert outcome["ne"] != outcome["eq"]


@given(st.binary(), st.integers(0, 40), st.integers(0, 40))
def test_slices_of_strings_count_bytes(raw: bytes, start: int, stop: int) -> None:
    if start <= stop <= len(raw):
        assert text_of(raw[start:stop]) == call("slice", text_of(raw), start, stop)
    else:
        with pytest.raises(FunctionError):
            call("slice", text_of(raw), start, stop)


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("len", ("\u017c",), 2),
        ("index", ("\u017c", 1), 0xBC),
        ("index", ({"a": [1]}, "a", 0), 1),
        ("index", ({}, "a"), None),
        ("index", (StringMap(), "a"), ""),
        ("slice", ([1, 2, 3], 1), [2, 3]),
        ("eq", (1, 2, 1), True),
        ("eq", (None, None), True),
        ("eq", (None, "a"), False),
        ("not", ([],), True),
        ("html", ("<\0\"'&>",), "&lt;\ufffd&#34;&#39;&amp;&gt;"),
        ("html", (None,), "&lt;no value&gt;"),
        ("js", ("<'\\\n\u2028\u017c=",), r"\u003C\'\\\u000A\u2028" + "\u017c" + r"\u003D"),
        ("urlquery", (text_of(b"a b/\xff~"),), "a+b%2F%FF~"),
    ],
)
def test_results_are_gos(name: str, values: tuple[object, ...], expected: object) -> None:
    assert expected == call(name, *values)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("len", (3,)),
        ("len", ()),
        ("index", ("a", 1.0)),
        ("index", ("a", True)),
        ("index", ([], 0)),
        ("index", (None,)),
        ("index", ({}, 1)),
        ("index", ({}, "a", "b")),
        ("slice", ("a", 0, 1, 1)),
        ("slice", ([1, 2], 2, 1)),
        ("eq", (1, 1.0)),
        ("eq", ([], [])),
        ("eq", (1,)),
        ("lt", (True, False)),
        ("lt", (1,)),
        ("printf", (3,)),
        ("not", ()),
    ],
)
def test_calls_that_go_refuses_are_errors(name: str, values: tuple[object, ...]) -> None:
    with pytest.raises(FunctionError):
        call(name, *values)


def test_all_calls_share_the_limit_of_text() -> None:
    functions = template_functions(Limits(10))
    assert functions["print"]("12345") == "12345"
    assert functions["len"]("12345") == 5
    with pytest.raises(FunctionError, match="more than 10 characters"):
        functions["print"]("1")
