"""64-bit integers, floats, and decimals."""

import math
import re
from collections.abc import Callable
from fractions import Fraction
from functools import reduce

from lambda_matchbox.golang.values import Int64, IntList
from lambda_matchbox.gotemplate.errors import FunctionError
from lambda_matchbox.gotemplate.limits import Limits
from lambda_matchbox.gotemplate.sprig.values import text_of_any

_MIN, _MAX = -(1 << 63), (1 << 63) - 1
_DIGITS = r"[0-9]+(?:_[0-9]+)*"
_LITERALS = (
    (r"0[xX]_?[0-9a-fA-F]+(?:_[0-9a-fA-F]+)*", 16),
    (r"0[bB]_?[01]+(?:_[01]+)*", 2),
    (r"0[oO]_?[0-7]+(?:_[0-7]+)*", 8),
    (r"0(?:_?[0-7]+)*", 8),
    (_DIGITS, 10),
)
_HEX = r"[0-9a-fA-F]+(?:_[0-9a-fA-F]+)*"
_FLOAT = re.compile(rf"[+-]?(?:{_DIGITS}\.?(?:{_DIGITS})?|\.{_DIGITS})(?:[eE][+-]?{_DIGITS})?")
_HEX_FLOAT = re.compile(rf"[+-]?0[xX](?:_?{_HEX}\.?(?:{_HEX})?|\.{_HEX})[pP][+-]?{_DIGITS}")
_NAMED_FLOAT = re.compile(r"[+-]?(?:inf|infinity)|nan", re.IGNORECASE)
_MAX_NUMBER = 1000
_DECIMAL_PLACES = 10**16
# The size of a product of some thousands of factors.
_MAX_BITS = 200_000


def _wrapped(value: int) -> Int64:
    """The value with 64-bit overflow."""
    return Int64((value - _MIN) % (1 << 64) + _MIN)


def int64_of(value: object) -> Int64:
    """The value as an int64, 0 for other types: floats are truncated, strings are Go's literals, true is 1."""
    if isinstance(value, float):
        # The result of an overflow on amd64.
        return Int64(value) if -(2.0**63) <= value < 2.0**63 else Int64(_MIN)
    if isinstance(value, str):
        return _literal(_without_zero_fraction(value))
    return _wrapped(value) if isinstance(value, int) else Int64(0)


def _without_zero_fraction(text: str) -> str:
    whole, point, fraction = text.rpartition(".")
    return whole if point and fraction and not fraction.strip("0") else text


def _literal(text: str) -> Int64:
    digits = text[1:] if text[:1] in ("+", "-") else text
    if len(digits) > _MAX_NUMBER:
        return Int64(0)
    for pattern, base in _LITERALS:
        if re.fullmatch(pattern, digits, re.ASCII):
            if base == 10 and len(digits) > 1 and digits[0] == "0":
                return Int64(0)
            number = int(re.sub(r"^0[xXbBoO]", "", digits).replace("_", ""), base)
            return _in_range(-number if text[0] == "-" else number)
    return Int64(0)


def _in_range(number: int) -> Int64:
    return Int64(number) if _MIN <= number <= _MAX else Int64(0)


def _atoi(text: str) -> int:
    """A number that is too large becomes the largest int64."""
    if not re.fullmatch(r"[+-]?[0-9]{1,1000}", text, re.ASCII):
        return 0
    return min(max(int(text), _MIN), _MAX)


def float64_of(value: object) -> float:
    """The value as a float64, 0 for other types."""
    if isinstance(value, str):
        return _float_literal(value)
    return float(value) if isinstance(value, int | float) else 0.0


def _float_literal(text: str) -> float:
    if len(text) > _MAX_NUMBER:
        return 0.0
    if _NAMED_FLOAT.fullmatch(text):
        return float(text)
    try:
        if _HEX_FLOAT.fullmatch(text):
            return float.fromhex(text.replace("_", ""))
        number = float(text.replace("_", "")) if _FLOAT.fullmatch(text) else 0.0
    except OverflowError:
        return 0.0
    return number if math.isfinite(number) else 0.0


def _quotient(left: object, right: object) -> Int64:
    dividend, divisor = int64_of(left), int64_of(right)
    if not divisor:
        raise FunctionError("the divisor is 0")
    quotient = abs(dividend) // abs(divisor)
    return _wrapped(quotient if (dividend < 0) == (divisor < 0) else -quotient)


def _remainder(left: object, right: object) -> Int64:
    return _wrapped(int64_of(left) - _quotient(left, right) * int64_of(right))


def _product(first: object, *others: object) -> Int64:
    return reduce(lambda made, other: _wrapped(made * int64_of(other)), others, int64_of(first))


def _greatest_float(first: object, *others: object) -> float:
    numbers = [float64_of(one) for one in (first, *others)]
    if math.inf in numbers:
        return math.inf
    return math.nan if any(map(math.isnan, numbers)) else max(numbers, key=lambda one: (one, math.copysign(1, one)))


def _least_float(first: object, *others: object) -> float:
    numbers = [float64_of(one) for one in (first, *others)]
    if -math.inf in numbers:
        return -math.inf
    return math.nan if any(map(math.isnan, numbers)) else min(numbers, key=lambda one: (one, math.copysign(1, one)))


def _decimal(value: object) -> Fraction:
    number = float64_of(value)
    if not math.isfinite(number):
        raise FunctionError("infinity and NaN are not decimals")
    return Fraction(repr(number))


def _decimals(step: Callable[[Fraction, Fraction], Fraction], first: object, *others: object) -> float:
    made = _decimal(first)
    for other in others:
        made = step(made, _decimal(other))
        if made.numerator.bit_length() > _MAX_BITS or made.denominator.bit_length() > _MAX_BITS:
            raise FunctionError("the number has too many digits")
    try:
        return float(made)
    except OverflowError:
        return math.inf if made > 0 else -math.inf


def _ratio(left: Fraction, right: Fraction) -> Fraction:
    """The quotient to sixteen places, halves rounded away from zero."""
    if not right:
        raise FunctionError("the divisor is 0")
    scaled = abs(left / right) * _DECIMAL_PLACES
    rounded = Fraction(math.floor(scaled + Fraction(1, 2)), _DECIMAL_PLACES)
    return rounded if (left < 0) == (right < 0) else -rounded


def _whole(value: object, away: Callable[[float], int]) -> float:
    number = float64_of(value)
    if not math.isfinite(number) or number == 0:
        return number
    return math.copysign(float(away(number)), number)


def _rounded(value: object, places: int, *half: float) -> float:
    number = float64_of(value)
    try:
        power = math.pow(10, places)
    except OverflowError:
        power = math.inf
    digits = power * number
    fraction = math.modf(digits)[0] if math.isfinite(digits) else math.nan
    if math.isfinite(digits):
        digits = _whole(digits, math.ceil if fraction >= (half[0] if half else 0.5) else math.floor)
    return (
        digits / power if power else math.nan if not digits or math.isnan(digits) else math.copysign(math.inf, digits)
    )


def _octal(limits: Limits, value: object) -> Int64:
    text = text_of_any(limits, value)
    return _in_range(int(text, 8)) if re.fullmatch(r"[+-]?[0-7]{1,100}", text, re.ASCII) else Int64(0)


def _steps(limits: Limits, start: int, stop: int, step: int) -> IntList:
    if (stop < start and step >= 0) or (stop >= start and step <= 0):
        return IntList()
    numbers = range(start, stop, step)
    # len() fails for a longer range.
    limits.check_elements(abs(stop - start) // abs(step))
    return IntList(numbers)


def _until(limits: Limits, count: int) -> IntList:
    return _steps(limits, 0, count, -1 if count < 0 else 1)


def _sequence(limits: Limits, *bounds: int) -> str:
    if not 1 <= len(bounds) <= 3:
        return ""
    start = bounds[0] if len(bounds) > 1 else 1
    stop = bounds[-1]
    away = -1 if stop < start else 1
    step = bounds[1] if len(bounds) == 3 else away
    if away < 0 < step:
        return ""
    numbers = _steps(limits, start, stop + away, step)
    limits.take_elements(len(numbers))
    return " ".join(map(str, numbers))


PLAIN: dict[str, Callable[..., object]] = {
    "add": lambda *values: _wrapped(sum(map(int64_of, values))),
    "add1": lambda value: _wrapped(int64_of(value) + 1),
    "add1f": lambda value: _decimals(Fraction.__add__, value, 1),
    "addf": lambda *values: _decimals(Fraction.__add__, 0.0, *values),
    "atoi": _atoi,
    "biggest": lambda *values: max(map(int64_of, values)),
    "ceil": lambda value: _whole(value, math.ceil),
    "div": _quotient,
    "divf": lambda *values: _decimals(_ratio, *values),
    "float64": float64_of,
    "floor": lambda value: _whole(value, math.floor),
    "int": lambda value: int(int64_of(value)),
    "int64": int64_of,
    "max": lambda *values: max(map(int64_of, values)),
    "maxf": _greatest_float,
    "min": lambda *values: min(map(int64_of, values)),
    "minf": _least_float,
    "mod": _remainder,
    "mul": _product,
    "mulf": lambda *values: _decimals(Fraction.__mul__, *values),
    "round": _rounded,
    "sub": lambda left, right: _wrapped(int64_of(left) - int64_of(right)),
    "subf": lambda *values: _decimals(Fraction.__sub__, *values),
}
BOUNDED: dict[str, Callable[..., object]] = {
    "seq": _sequence,
    "toDecimal": _octal,
    "until": _until,
    "untilStep": _steps,
}
