import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.golang.quote import can_be_raw, quoted
from lambda_matchbox.golang.text import text_of


@given(st.text(st.characters(exclude_categories=["Cs"], max_codepoint=0x10FE7F)), st.booleans())
def test_a_quoted_text_is_a_literal_of_it(text: str, ascii_only: bool) -> None:
    literal = quoted(text, ascii_only=ascii_only)
    assert text == ast.literal_eval(literal)
    assert literal.isascii() or not ascii_only


def test_a_byte_that_is_not_utf8_is_escaped() -> None:
    assert quoted(text_of(b"a\xff\x7f\x00'\"")) == r""" "a\xff\x7f\x00'\"" """.strip()


@pytest.mark.parametrize(("text", "expected"), [("a\tb", True), ("a`", False), ("a\n", False), ("\x7f", False)])
def test_backquotes_hold_no_control_character_but_tab(text: str, expected: bool) -> None:
    assert expected == can_be_raw(text)
