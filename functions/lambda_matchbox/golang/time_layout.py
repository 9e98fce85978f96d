"""Layouts of Go's package time, such as `2006-01-02T15:04:05Z07:00`."""

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import NamedTuple

from lambda_matchbox.golang.values import GoValueError

_MONTHS = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()  # noqa: SIM905
_CHUNK = re.compile(
    r"January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|002|0[1-6]|15|1|2006|2|__2|_2(?!006)|3|4|5|PM|pm"
    r"|-07(?:0000|:00:00|00|:00)?|Z07(?:0000|:00:00|00|:00)?|[.,](?:0+|9+)(?![0-9])"
)
_FRACTION = re.compile(r"[.,]([0-9]+)")
_ZONE_NAME = re.compile(r"ChST|MeST|WITA|GMT(?:[+-][0-9]{1,2})?|[A-Z]{3}(?:[A-Z]?T)?(?![A-Z])|[+-][0-9]{2}(?![0-9])")
_MAX_LENGTH = 1000
_CYCLE = 400
_DAY = 86_400


class TimeError(GoValueError):
    """A time that does not parse, or is out of range."""


class Civil(NamedTuple):
    """A date and time of day in a zone.

    `day` is the date 400 years later, when the calendar is the same: Go's times begin with the year 0, Python's with
    1. `offset` is in seconds east of UTC.
    """

    day: date
    seconds: int
    nanoseconds: int
    offset: int = 0
    zone: str = "UTC"


def formatted(civil: Civil, layout: str) -> str:
    """`civil` in that layout."""
    return _CHUNK.sub(lambda found: _chunk(found[0], civil), layout)


def _chunk(chunk: str, civil: Civil) -> str:
    if chunk[0] in ".,":
        digits = f"{civil.nanoseconds:09d}"[: len(chunk) - 1].ljust(len(chunk) - 1, "0")
        digits = digits.rstrip("0") if chunk[1] == "9" else digits
        return chunk[0] + digits if digits else ""
    if chunk[0] in "-Z":
        return _offset(chunk, civil.offset)
    if chunk == "MST":
        # Go prints a zone without a name by its offset.
        return civil.zone or _offset("-0700", civil.offset)
    return _WRITERS[chunk](civil)


def _offset(chunk: str, offset: int) -> str:
    if chunk[0] == "Z" and offset == 0:
        return "Z"
    minutes, seconds = divmod(abs(offset), 60)
    hours, minutes = divmod(minutes, 60)
    colon = ":" if ":" in chunk else ""
    text = f"{'-' if offset < 0 else '+'}{hours:02d}"
    if len(chunk) > 3:
        text += f"{colon}{minutes:02d}"
    return text + (f"{colon}{seconds:02d}" if len(chunk) > 6 else "")


def _year_day(day: date) -> int:
    return day.timetuple().tm_yday


def _hour(civil: Civil) -> int:
    return civil.seconds // 3600


_WRITERS: Mapping[str, Callable[[Civil], str]] = {
    "2006": lambda civil: f"{civil.day.year - _CYCLE:04d}",
    "06": lambda civil: f"{civil.day.year % 100:02d}",
    "January": lambda civil: _MONTHS[civil.day.month - 1],
    "Jan": lambda civil: _MONTHS[civil.day.month - 1][:3],
    "01": lambda civil: f"{civil.day.month:02d}",
    "1": lambda civil: str(civil.day.month),
    "Monday": lambda civil: _DAYS[civil.day.weekday()],
    "Mon": lambda civil: _DAYS[civil.day.weekday()][:3],
    "02": lambda civil: f"{civil.day.day:02d}",
    "2": lambda civil: str(civil.day.day),
    "_2": lambda civil: f"{civil.day.day:2d}",
    "002": lambda civil: f"{_year_day(civil.day):03d}",
    "__2": lambda civil: f"{_year_day(civil.day):3d}",
    "15": lambda civil: f"{_hour(civil):02d}",
    "03": lambda civil: f"{(_hour(civil) + 11) % 12 + 1:02d}",
    "3": lambda civil: str((_hour(civil) + 11) % 12 + 1),
    "04": lambda civil: f"{civil.seconds // 60 % 60:02d}",
    "4": lambda civil: str(civil.seconds // 60 % 60),
    "05": lambda civil: f"{civil.seconds % 60:02d}",
    "5": lambda civil: str(civil.seconds % 60),
    "PM": lambda civil: "PM" if _hour(civil) >= 12 else "AM",
    "pm": lambda civil: "pm" if _hour(civil) >= 12 else "am",
}


def parsed(layout: str, text: str) -> Civil:
    """The time in `text` by that layout; in UTC unless the text has a zone. Raises TimeError."""
    if len(layout) > _MAX_LENGTH or len(text) > _MAX_LENGTH:
        raise TimeError("the time is too long")
    return _Parser(text).parse(layout)


class _Parser:
    """One parse; `_found` has the fields found so far."""

    def __init__(self, text: str) -> None:
        self._rest = text
        self._found: dict[str, int] = {}
        self._zone: str | None = None
        self._offset: int | None = None

    def parse(self, layout: str) -> Civil:
        position = 0
        chunks = list(_CHUNK.finditer(layout))
        for index, chunk in enumerate(chunks):
            self._literal(layout[position : chunk.start()])
            position = chunk.end()
            fraction_follows = index + 1 < len(chunks) and chunks[index + 1][0][0] in ".,"
            self._take(chunk[0], fraction_follows=fraction_follows)
        self._literal(layout[position:])
        if self._rest:
            raise TimeError("the time has text that the layout lacks")
        return self._whole()

    def _literal(self, text: str) -> None:
        """A blank matches any number of blanks."""
        while text:
            if text[0] == " ":
                if self._rest and self._rest[0] != " ":
                    raise TimeError("the time does not match the layout")
                text, self._rest = text.lstrip(" "), self._rest.lstrip(" ")
            elif self._rest[:1] != text[0]:
                raise TimeError("the time does not match the layout")
            else:
                text, self._rest = text[1:], self._rest[1:]

    def _pattern(self, pattern: str) -> str:
        found = re.compile(pattern, re.IGNORECASE | re.ASCII).match(self._rest)
        if found is None:
            raise TimeError("the time does not match the layout")
        self._rest = self._rest[found.end() :]
        return found[0]

    def _take(self, chunk: str, *, fraction_follows: bool) -> None:
        if chunk[0] in ".,":
            self._fraction(chunk)
        elif chunk[0] in "-Z":
            self._read_offset(chunk)
        elif chunk == "MST":
            self._read_zone()
        elif chunk in ("PM", "pm"):
            half = self._rest[:2]
            if half not in (("PM", "AM") if chunk == "PM" else ("pm", "am")):
                raise TimeError("the time has neither am nor pm")
            self._rest = self._rest[2:]
            self._found["afternoon"] = half.upper() == "PM"
        elif chunk.isalpha():
            names = _DAYS if chunk.startswith("Mon") else _MONTHS
            names = names if len(chunk) > 3 else [name[:3] for name in names]
            name = self._pattern("|".join(names)).capitalize()
            if chunk.startswith("Jan"):
                self._found["month"] = names.index(name) + 1
        else:
            field, pattern, greatest = _NUMBERS[chunk]
            number = int(self._pattern(pattern))
            if greatest is not None and number > greatest:
                raise TimeError(f"the {field} is out of range")
            self._found[field] = number + (0 if chunk != "06" else 1900 if number >= 69 else 2000)
            if field == "second" and not fraction_follows and (found := _FRACTION.match(self._rest)):
                self._nanoseconds(found[1])
                self._rest = self._rest[found.end() :]

    def _fraction(self, chunk: str) -> None:
        if chunk[1] == "0":
            self._nanoseconds(self._pattern(rf"[.,][0-9]{{{len(chunk) - 1}}}")[1:])
        elif found := _FRACTION.match(self._rest):
            self._nanoseconds(found[1][:9])
            self._rest = self._rest[1 + min(len(found[1]), 9) :]

    def _nanoseconds(self, digits: str) -> None:
        self._found["nanosecond"] = int(digits[:9].ljust(9, "0"))

    def _read_offset(self, chunk: str) -> None:
        if chunk[0] == "Z" and self._rest.startswith("Z"):
            self._rest = self._rest[1:]
            self._offset, self._zone = 0, "UTC"
            return
        pattern = "[+-]" + re.sub("[0-9]{2}", "([0-9]{2})", chunk[1:].replace("7", "0"))
        text = self._pattern(pattern)
        hours, minutes, seconds = ([int(part) for part in re.findall("[0-9]{2}", text)] + [0, 0])[:3]
        if hours > 24 or minutes > 60 or seconds > 60:
            raise TimeError("the offset is out of range")
        self._offset = (-1 if text[0] == "-" else 1) * (hours * 3600 + minutes * 60 + seconds)

    def _read_zone(self) -> None:
        if self._rest.startswith("UTC"):
            self._rest = self._rest[3:]
            self._zone, self._offset = "UTC", 0
            return
        found = _ZONE_NAME.match(self._rest)
        if found is None:
            raise TimeError("the time has no zone")
        self._zone, self._rest = found[0], self._rest[found.end() :]

    def _whole(self) -> Civil:
        found = self._found
        hour = found.get("hour", 0)
        if "afternoon" in found:
            if found["afternoon"] and hour < 12:
                hour += 12
            elif not found["afternoon"] and hour == 12:
                hour = 0
        day = _day(found.get("year", 0), found.get("month"), found.get("day"), found.get("year day"))
        offset, zone = self._offset or 0, self._zone
        if zone is None:
            zone = "" if offset else "UTC"
        seconds = hour * 3600 + found.get("minute", 0) * 60 + found.get("second", 0)
        if self._offset is None and zone.startswith("GMT") and len(zone) > 3:
            # Go reads the clock as UTC's nevertheless.
            offset = int(zone[3:]) * 3600
            days, seconds = divmod(seconds + offset, _DAY)
            day = _shifted(day, days)
        return Civil(day, seconds, found.get("nanosecond", 0), offset, zone)


def _shifted(day: date, days: int) -> date:
    try:
        return day + timedelta(days)
    except OverflowError:
        raise TimeError("the date is out of range") from None


def _day(year: int, month: int | None, day: int | None, year_day: int | None) -> date:
    try:
        if year_day is not None and month is None and day is None:
            found = date(year + _CYCLE, 1, 1) + timedelta(year_day - 1)
            if found.year != year + _CYCLE or year_day < 1:
                raise TimeError("the day is out of range")
            return found
        return date(year + _CYCLE, 1 if month is None else month, 1 if day is None else day)
    except (ValueError, OverflowError):
        raise TimeError("the date is out of range") from None


# The field of each chunk, its pattern, and its maximum.
_NUMBERS: Mapping[str, tuple[str, str, int | None]] = {
    "2006": ("year", "[0-9]{4}", None),
    "06": ("year", "[0-9]{2}", None),
    "01": ("month", "[0-9]{2}", 12),
    "1": ("month", "[0-9]{1,2}", 12),
    "02": ("day", "[0-9]{2}", 31),
    "2": ("day", "[0-9]{1,2}", 31),
    "_2": ("day", " ?[0-9]{1,2}", 31),
    "002": ("year day", "[0-9]{3}", 366),
    "__2": ("year day", " {0,2}[0-9]{1,3}", 366),
    "15": ("hour", "[0-9]{1,2}", 23),
    "03": ("hour", "[0-9]{2}", 12),
    "3": ("hour", "[0-9]{1,2}", 12),
    "04": ("minute", "[0-9]{2}", 59),
    "4": ("minute", "[0-9]{1,2}", 59),
    "05": ("second", "[0-9]{2}", 59),
    "5": ("second", "[0-9]{1,2}", 59),
}
