"""Durations, as Go's package time parses and prints them."""

import re

from lambda_matchbox.golang.values import GoValueError

_NANO = 1_000_000_000
_UNITS = {
    "ns": 1,
    "us": 1_000,
    "\u00b5s": 1_000,
    "\u03bcs": 1_000,
    "ms": 1_000_000,
    "s": _NANO,
    "m": 60 * _NANO,
    "h": 3600 * _NANO,
}
_PART = re.compile(r"([0-9]*)(?:\.([0-9]*))?(ns|us|\u00b5s|\u03bcs|ms|s|m|h)")
_MAX_LENGTH = 200
_MAX_NANOSECONDS = (1 << 63) - 1


class DurationError(GoValueError):
    """A text that is not a duration, or too long a duration."""


def duration_of(text: str) -> int:
    """The nanoseconds of a duration such as `-1h30m` or `1.5s`. Raises DurationError."""
    sign, rest = (-1 if text[:1] == "-" else 1), text[1:] if text[:1] in ("-", "+") else text
    if rest == "0":
        return 0
    position = total = 0
    if not rest or len(rest) > _MAX_LENGTH:
        raise DurationError("invalid duration")
    while position < len(rest):
        found = _PART.match(rest, position)
        if found is None or not (found[1] or found[2]):
            raise DurationError("invalid duration")
        unit = _UNITS[found[3]]
        fraction = found[2] or ""
        total += int(found[1] or "0") * unit + int(fraction or "0") * unit // 10 ** len(fraction)
        position = found.end()
    if total > _MAX_NANOSECONDS + (sign < 0):
        raise DurationError("the duration is too long")
    return sign * total


def seconds_text(seconds: int) -> str:
    """Whole seconds as Go prints a duration, such as `1h2m3s`. They wrap at 64 bits of nanoseconds, as in Go."""
    nanoseconds = (seconds * _NANO + (1 << 63)) % (1 << 64) - (1 << 63)
    sign, rest = ("-" if nanoseconds < 0 else ""), abs(nanoseconds)
    if rest and rest < _NANO:
        return sign + _below_a_second(rest)
    whole, fraction = divmod(rest, _NANO)
    minutes, left = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    text = str(left) + (f".{fraction:09d}".rstrip("0") if fraction else "") + "s"
    if hours:
        return f"{sign}{hours}h{minutes}m{text}"
    return f"{sign}{minutes}m{text}" if minutes else sign + text


def _below_a_second(nanoseconds: int) -> str:
    for unit, size in (("ms", 1_000_000), ("\u00b5s", 1_000)):
        if nanoseconds >= size:
            whole, fraction = divmod(nanoseconds, size)
            digits = f"{fraction:0{len(str(size)) - 1}d}".rstrip("0")
            return f"{whole}{'.' if digits else ''}{digits}{unit}"
    return f"{nanoseconds}ns"
