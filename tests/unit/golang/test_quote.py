import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.golang.quote import can_be_raw, quoted
from lambda_matchbox.golang.text import text_of


@given(st.text(st.characters(exclude_categories=["Cs"], max_codepoint=0x10FE7F)), st.booleans())
def test_quoted_reads_back(text: str, ascii_only: bool) -> None:
    """A quoted text is a literal of the same text, in Python too."""
    literal = quoted(text, ascii_only=ascii_only)
    assert text == ast.literal_eval(literal)
    assert literal.isascii() or not ascii_only


def test_stray_bytes() -> None:
    """A byte that is no UTF-8 is written by its number."""
    assert quoted(text_of(b"a\xff\x7f\x00'\"")) == r""" "a\xff\x7f\x00'\"" """.strip()


@pytest.mark.parametrize(("text", "expected"), [("a\tb", True), ("a`", False), ("a\n", False), ("\x7f", False)])
def test_can_be_raw(text: str, expected: bool) -> None:
    """Between backquotes stand neither backquotes nor control characters but the tabulator."""
    assert expected == can_be_raw(text)
