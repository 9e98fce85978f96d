import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.golang.format import OutputTooLongError
from lambda_matchbox.golang.print import sprint, sprintf, sprintln
from lambda_matchbox.golang.text import text_of
from lambda_matchbox.golang.values import StringMap

ROOM = 10_000
VALUES = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text() | st.lists(st.integers())
)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((), ""),
        (("a", "b"), "ab"),
        ((1, 2), "1 2"),
        ((1, "a", 2), "1a2"),
        ((None, None), "<nil> <nil>"),
        (([1.0, None, "a"], {"b": True, "a": []}), "[1 <nil> a] map[a:[] b:true]"),
    ],
)
def test_sprint_separates_neighbours_that_are_not_strings(values: tuple[object, ...], expected: str) -> None:
    assert expected == sprint(values, ROOM)


def test_sprintln_separates_all_and_ends_the_line() -> None:
    assert sprintln(("a", 1, None), ROOM) == "a 1 <nil>\n"


@pytest.mark.parametrize(
    ("form", "values", "expected"),
    [
        ("%s-%d%%", ("a", 3), "a-3%"),
        ("%5s|%-5s|%.1s", ("\u017c", "b", "cd"), "    \u017c|b    |c"),
        ("%x % X %#x", ("hi", "hi", 255), "6869 68 69 0xff"),
        ("%q", ('a"\n\u017c',), '"a\\"\\n\u017c"'),
        ("%+q %#q", ("\u017c", "a\tb"), '"\\u017c" `a\tb`'),
        ("%q", (text_of(b"\xff\xc5\xbc"),), '"\\xff\u017c"'),
        ("%08.3f|%+d|% d|%05d|%-5d|", (-3.14159, 5, 5, -42, 42), "-003.142|+5| 5|-0042|42   |"),
        ("%v %v %v", (1e6, [1.0, "a"], None), "1e+06 [1 a] <nil>"),
        ("%T %T %T", (1.0, {"a": 1}, StringMap()), "float64 map[string]interface {} map[string]string"),
        ("%#v", ({"a": [True, None]},), 'map[string]interface {}{"a":[]interface {}{true, interface {}(nil)}}'),
        ("%[2]d %[1]d", (1, 2), "2 1"),
        ("%[1]d %d %[5]d %[x]d", (1, 2), "1 2 %!d(BADINDEX) %!d(BADINDEX)"),
        ("%*d|%-*d|%.*f", (4, 1, 4, 1, 1, 2.25), "   1|1   |2.2"),
        ("%*d", ("a", 1), "%!(BADWIDTH)1"),
        ("%.*f", ("a", 1.5), "%!(BADPREC)1.500000"),
        ("%d", ("a",), "%!d(string=a)"),
        ("%d", (None,), "%!d(<nil>)"),
        ("%d %s", (1,), "1 %!s(MISSING)"),
        ("%d", (1, "a", None), "1%!(EXTRA string=a, <nil>)"),
        ("%", (), "%!(NOVERB)"),
        ("%!", (), "%!!(MISSING)"),
        ("%t %c %U %b %o %O", (True, 955, 955, 5, 8, 8), "true \u03bb U+03BB 101 10 0o10"),
        ("%99999999d", (1,), "%!(NOVERB)%!(EXTRA int=1)"),
        ("%.0d|%3.0d|", (0, 0), "|   |"),
    ],
)
def test_sprintf_formats_as_go(form: str, values: tuple[object, ...], expected: str) -> None:
    assert expected == sprintf(form, values, ROOM)


@given(st.text(st.sampled_from("%[]*.0123456789+-# dsvqxeTzż")), st.lists(VALUES, max_size=4))
def test_any_format_has_text_or_too_much(form: str, values: list[object]) -> None:
    try:
        assert len(sprintf(form, values, ROOM)) <= ROOM
    except OutputTooLongError:
        assert any(character.isdigit() or character == "*" for character in form)


@given(st.text(st.characters(exclude_characters="%")))
def test_a_format_without_a_verb_is_itself(form: str) -> None:
    assert form == sprintf(form, (), ROOM)


@pytest.mark.parametrize("form", ["%99999d", "%[1]s" * 200, "%x" * 200])
def test_text_beyond_the_limit_is_an_error(form: str) -> None:
    with pytest.raises(OutputTooLongError):
        sprintf(form, ["a" * 100] * 200, ROOM)
