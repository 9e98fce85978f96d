import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.golang.text import bytes_of, stray_byte, text_of, text_of_value


@given(st.binary())
def test_any_bytes_are_restored(raw: bytes) -> None:
    assert raw == bytes_of(text_of(raw))


@given(st.binary())
def test_the_text_has_no_surrogates(raw: bytes) -> None:
    assert text_of(raw) == text_of(raw).encode().decode()


@given(st.text(st.characters(codec="utf-8").filter(lambda character: stray_byte(character) is None)))
def test_valid_text_stands_for_itself(text: str) -> None:
    assert text == text_of(text.encode())


@pytest.mark.parametrize("code", [0x10FE80, 0x10FEFF])
def test_a_genuine_character_of_the_block_is_its_four_bytes(code: int) -> None:
    raw = chr(code).encode()
    assert list(raw) == [stray_byte(character) for character in text_of(raw)]
    assert raw == bytes_of(text_of_value(chr(code)))


def test_a_surrogate_is_its_byte_or_replaced() -> None:
    assert bytes_of(text_of_value("a\udcff\ud800\udc41\u017c")) == b"a\xff" + "\ufffd\ufffd\u017c".encode()
