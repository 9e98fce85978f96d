"""float64 as text, as Go's `strconv.FormatFloat` writes it."""

import math

_EXPONENT_FROM = 6
_EXPONENT_BELOW = -4
_FRACTION_BITS = 52
_MIN_EXPONENT = -1074


def format_float(value: float, verb: str = "g", precision: int | None = None) -> str:
    """`value` in Go's format `verb`: one of `b e E f g G x X`.

    Without a precision the fewest digits that identify the value are written; the verbs `b`, `x` and `X` ignore it. The
    default is that of `%v` and `print`: 1000000 is `1e+06`.
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    sign = "-" if math.copysign(1.0, value) < 0 else ""
    return sign + _unsigned(abs(value), verb, precision)


def _unsigned(value: float, verb: str, precision: int | None) -> str:
    if verb in "xX":
        text = _hexadecimal(value)
        return text.upper() if verb == "X" else text
    if verb == "b":
        return _binary(value)
    if precision is not None:
        return format(value, f".{precision}{verb}")
    digits, exponent = _shortest_digits(value)
    if verb in "eE" or (verb in "gG" and not _EXPONENT_BELOW <= exponent < _EXPONENT_FROM):
        text = _scientific(digits, exponent)
        return text.upper() if verb in "EG" else text
    return _positional(digits, exponent)


def _shortest_digits(value: float) -> tuple[str, int]:
    """The fewest digits that identify `value`, and the power of ten of the first digit."""
    mantissa, _, exponent = format(value, ".17e").partition("e")
    shortest = repr(value)
    if "e" in shortest:
        mantissa, _, exponent = shortest.partition("e")
        return mantissa.replace(".", ""), int(exponent)
    digits = shortest.replace(".", "").strip("0")
    return digits or "0", int(exponent)


def _scientific(digits: str, exponent: int) -> str:
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{digits[0]}{fraction}e{exponent:+03d}"


def _positional(digits: str, exponent: int) -> str:
    if exponent < 0:
        return "0." + "0" * (-exponent - 1) + digits
    whole = digits[: exponent + 1].ljust(exponent + 1, "0")
    return whole + (f".{digits[exponent + 1 :]}" if len(digits) > exponent + 1 else "")


def _hexadecimal(value: float) -> str:
    if value == 0:
        return "0x0p+00"
    fraction, exponent = math.frexp(value)
    significand = int(fraction * 2 ** (_FRACTION_BITS + 1))
    digits = format(significand - 2**_FRACTION_BITS, "013x").rstrip("0")
    return f"0x1{'.' if digits else ''}{digits}p{exponent - 1:+03d}"


def _binary(value: float) -> str:
    exponent = max(math.frexp(value)[1] - _FRACTION_BITS - 1, _MIN_EXPONENT) if value else _MIN_EXPONENT
    return f"{int(math.ldexp(value, -exponent))}p{exponent:+d}"
