"""A moment as Go's time.Time, and durations as Go writes them. There is no clock, and the local zone is UTC."""

import re
from datetime import date, timedelta
from typing import NamedTuple

from lambda_matchbox.golang.values import GoObject

_DAY = 86_400
_NANO = 1_000_000_000
_EPOCH = date(1970, 1, 1)
# After as many days the calendar is the same, the days of the week too.
_FOUR_CENTURIES = 146_097
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
_LONGEST_DURATION = 200
_GREATEST = (1 << 63) - 1


class TimeError(ValueError):
    """What is no time, no duration, or out of range; the message shows nothing of it."""


class Civil(NamedTuple):
    """A moment as it is read on a clock: the year, the date of that day 400 years later, and the rest of it."""

    year: int
    day: date
    seconds: int
    nanoseconds: int


class Time(GoObject):
    """A moment, by its nanoseconds since 1970, and the zone that it is read in: seconds east of UTC, and a name."""

    name = "time.Time"

    def __init__(self, nanoseconds: int, offset: int = 0, zone: str = "UTC") -> None:
        self.nanoseconds = nanoseconds
        self.offset = offset
        self.zone = zone

    @property
    def unix(self) -> int:
        """Seconds since 1970."""
        return self.nanoseconds // _NANO

    def civil(self) -> Civil:
        """The moment in its zone. Raises TimeError outside of the years 0 to 9599."""
        days, seconds = divmod(self.unix + self.offset, _DAY)
        try:
            later = _EPOCH + timedelta(days + _FOUR_CENTURIES)
        except OverflowError:
            raise TimeError("the time is outside of the years 0 to 9599") from None
        return Civil(later.year - 400, later, seconds, self.nanoseconds % _NANO)

    def text(self) -> str:
        """As {{.}} prints it."""
        from lambda_matchbox.golang.time_layout import formatted

        return formatted(self, "2006-01-02 15:04:05.999999999 -0700 MST")

    def in_json(self) -> str:
        """By RFC 3339."""
        from lambda_matchbox.golang.time_layout import formatted

        return formatted(self, "2006-01-02T15:04:05.999999999Z07:00")


def day_of(year: int, month: int, day: int) -> date:
    """The date of that day 400 years later: Go's times begin with the year 0. Raises ValueError for no date."""
    return date(year + 400, month, day)


def time_of(later: date, seconds: int, nanoseconds: int, offset: int = 0, zone: str = "UTC") -> Time:
    """The moment at which clocks of that zone read so, 400 years before that date."""
    return Time(
        (((later - _EPOCH).days - _FOUR_CENTURIES) * _DAY + seconds - offset) * _NANO + nanoseconds, offset, zone
    )


def duration_of(text: str) -> int:
    """The nanoseconds of a duration such as `-1h30m` or `1.5s`. Raises TimeError."""
    sign, rest = (-1 if text[:1] == "-" else 1), text[1:] if text[:1] in ("-", "+") else text
    if rest == "0":
        return 0
    position = total = 0
    if not rest or len(rest) > _LONGEST_DURATION:
        raise TimeError("it is no duration")
    while position < len(rest):
        found = _PART.match(rest, position)
        if found is None or not (found[1] or found[2]):
            raise TimeError("it is no duration")
        unit = _UNITS[found[3]]
        fraction = found[2] or ""
        total += int(found[1] or "0") * unit + int(fraction or "0") * unit // 10 ** len(fraction)
        position = found.end()
    if total > _GREATEST + (sign < 0):
        raise TimeError("the duration is too long")
    return sign * total


def seconds_text(seconds: int) -> str:
    """Whole seconds as a duration is printed: `1h2m3s`. What does not fit in 64 bits of nanoseconds wraps as Go's."""
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
