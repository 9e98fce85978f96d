"""Dates. Functions for which Sprig takes the current time fail: there is no clock."""

from collections.abc import Callable

from lambda_matchbox.golang.duration import DurationError, duration_of, seconds_text
from lambda_matchbox.golang.moment import Time, parse_time
from lambda_matchbox.golang.time_layout import TimeError
from lambda_matchbox.golang.values import Int64
from lambda_matchbox.gotemplate.errors import FunctionError
from lambda_matchbox.gotemplate.limits import Limits

_NANO = 1_000_000_000
# The year 1, Go's zero time.
_ZERO = Time(-62_135_596_800 * _NANO)
_MAX_LAYOUT = 10_000
_LAYOUT_WORK = 30
_HOUR = 3600 * _NANO
_UNITS = (("y", 8760 * _HOUR), ("mo", 720 * _HOUR), ("d", 24 * _HOUR), ("h", _HOUR), ("m", 60 * _NANO), ("s", _NANO))


def _moment(value: object) -> Time:
    if isinstance(value, Time):
        return Time(value.nanoseconds)
    if isinstance(value, int) and not isinstance(value, bool):
        return Time(value * _NANO)
    raise FunctionError("a time or integer seconds are required: there is no clock")


def _formatted(limits: Limits, layout: str, value: object) -> str:
    limits.take_work(_LAYOUT_WORK * len(layout))
    if len(layout) > _MAX_LAYOUT:
        raise FunctionError("the layout is too long")
    return _moment(value).format(layout)


def _parsed_or_zero(layout: str, text: str) -> Time:
    try:
        return parse_time(layout, text)
    except TimeError:
        return _ZERO


def _modified(text: str, time: Time) -> Time:
    return Time(time.nanoseconds + duration_of(text), time.offset, time.zone)


def _modified_or_same(text: str, time: Time) -> Time:
    try:
        return _modified(text, time)
    except DurationError:
        return time


def _duration(value: object) -> str:
    if isinstance(value, str):
        # Sprig ignores the error of strconv.ParseInt, which returns the nearest limit for a number out of range.
        digits = value[1:] if value[:1] in ("+", "-") else value
        if not (digits.isascii() and digits.isdigit()):
            return "0s"
        number = int(value) if len(digits) < 20 else (1 << 64) * (-1 if value[0] == "-" else 1)
        return seconds_text(min(max(number, -(1 << 63)), (1 << 63) - 1))
    return seconds_text(value if isinstance(value, Int64) else 0)


def _rounded(value: object) -> str:
    if isinstance(value, Time):
        raise FunctionError("the duration since a time needs a clock: there is none")
    nanoseconds = int(value) if isinstance(value, Int64) else 0
    if isinstance(value, str):
        try:
            nanoseconds = duration_of(value)
        except DurationError:
            nanoseconds = 0
    for unit, size in _UNITS:
        if abs(nanoseconds) > size:
            return f"{abs(nanoseconds) // size}{unit}"
    return "0s"


PLAIN: dict[str, Callable[..., object]] = {
    "dateModify": _modified_or_same,
    "date_modify": _modified_or_same,
    "duration": _duration,
    "durationRound": _rounded,
    "mustDateModify": _modified,
    "mustToDate": parse_time,
    "must_date_modify": _modified,
    "toDate": _parsed_or_zero,
    "unixEpoch": lambda time: str(time.unix),
}
BOUNDED: dict[str, Callable[..., object]] = {
    "date": _formatted,
    "htmlDate": lambda limits, value: _formatted(limits, "2006-01-02", value),
}
