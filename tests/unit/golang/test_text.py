import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.golang.text import bytes_of, stray_byte, text_of, text_of_value


@given(st.binary())
def test_bytes_survive(raw: bytes) -> None:
    """Whatever bytes there are, they come back."""
    assert raw == bytes_of(text_of(raw))


@given(st.binary())
def test_text_can_be_encoded(raw: bytes) -> None:
    """The text has no surrogates."""
    assert text_of(raw) == text_of(raw).encode().decode()


@given(st.text(st.characters(codec="utf-8").filter(lambda character: stray_byte(character) is None)))
def test_valid_text_stands_for_itself(text: str) -> None:
    """Characters outside of the block of stand-ins are themselves."""
    assert text == text_of(text.encode())


@pytest.mark.parametrize("code", [0x10FE80, 0x10FEFF])
def test_genuine_stand_in(code: int) -> None:
    """A genuine character of the block stands as its four bytes."""
    raw = chr(code).encode()
    assert list(raw) == [stray_byte(character) for character in text_of(raw)]
    assert raw == bytes_of(text_of_value(chr(code)))


def test_surrogates_of_a_value() -> None:
    """A surrogate that stands for a byte is that byte, another one is U+FFFD."""
    assert bytes_of(text_of_value("a\udcff\ud800\udc41\u017c")) == b"a\xff" + "\ufffd\ufffd\u017c".encode()
