import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.golang.float import format_float


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0, "0"),
        (-0.0, "-0"),
        (100000.0, "100000"),
        (999999.0, "999999"),
        (1e6, "1e+06"),
        (1234567.0, "1.234567e+06"),
        (1e20, "1e+20"),
        (1e21, "1e+21"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (123456789012345678.0, "1.2345678901234568e+17"),
        (5e-324, "5e-324"),
        (-0.25, "-0.25"),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
        (math.nan, "NaN"),
    ],
)
def test_the_default_is_that_of_percent_v(value: float, expected: str) -> None:
    assert expected == format_float(value)


@pytest.mark.parametrize(
    ("verb", "precision", "expected"),
    [
        ("f", None, "1234567.5"),
        ("e", None, "1.2345675e+06"),
        ("E", 2, "1.23E+06"),
        ("f", 2, "1234567.50"),
        ("g", 3, "1.23e+06"),
        ("G", None, "1.2345675E+06"),
        ("x", None, "0x1.2d6878p+20"),
        ("X", None, "0X1.2D6878P+20"),
        ("b", None, "5302427037204480p-32"),
    ],
)
def test_each_verb_has_its_form(verb: str, precision: int | None, expected: str) -> None:
    assert expected == format_float(1234567.5, verb, precision)


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from("efgEG"))
def test_the_shortest_form_identifies_the_number(value: float, verb: str) -> None:
    assert value == float(format_float(value, verb))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_hexadecimal_form_is_exact(value: float) -> None:
    if value == 0 or abs(value) >= 2.0**-1022:
        assert value == float.fromhex(format_float(value, "x"))
