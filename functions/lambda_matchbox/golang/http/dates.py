"""When is it, in an HTTP header?

Dates are read as Go's `http.ParseTime` reads them: the three forms of RFC 9110, section 5.6.7, and what Go's parser
lets pass besides: any case of names, a weekday that is not the date's, runs of spaces, fractions of a second (cut
off), hours of one digit, and in the RFC 850 form any zone, whose offset it ignores.
"""

import re
from datetime import date, datetime, timedelta
from time import gmtime

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_YEAR_TWO_DIGITS_START = 69
_DAYS_IN_400_YEARS = 146_097
_ORDINAL_OF_1970 = date(1970, 1, 1).toordinal()

_SHORT_DAY = f"(?i:{'|'.join(day[:3] for day in _DAYS)})"
_LONG_DAY = f"(?i:{'|'.join(_DAYS)})"
_MONTH = f"(?P<month>(?i:{'|'.join(_MONTHS)}))"
_TIME = "(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})(?:[.,][0-9]+)?"
_OFFSET = "0*(?:1?[0-9]|2[0-3])"
_ZONE = (
    f"(?:UTC|GMT(?:[+-]{_OFFSET})?|[+-](?=[0-9]{{2}}){_OFFSET}|ChST|MeST|(?!UTC|GMT)(?:[A-Z]{{3,4}}T|[A-Z]{{3}}|WITA))"
)
_FORMS = (
    f"{_SHORT_DAY}, +(?P<day>[0-9]{{2}}) +{_MONTH} +(?P<year>[0-9]{{4}}) +{_TIME} +GMT",
    f"{_LONG_DAY}, +(?P<day>[0-9]{{2}})-{_MONTH}-(?P<year>[0-9+-][0-9]) +{_TIME} +{_ZONE}",
    f"{_SHORT_DAY} +{_MONTH} +(?P<day>[0-9]{{1,2}}) +{_TIME} +(?P<year>[0-9]{{4}})",
)


def unix_seconds(moment: datetime) -> int:
    """Whole seconds since 1970 began, rounded down. A moment without a zone is in UTC."""
    since = moment.replace(tzinfo=None) - datetime(1970, 1, 1) - (moment.utcoffset() or timedelta())
    return since // timedelta(seconds=1)


def render(moment: datetime) -> str:
    """The date in the form that servers write, such as `Sun, 06 Nov 1994 08:49:37 GMT`."""
    utc = gmtime(unix_seconds(moment))
    day, month = _DAYS[utc.tm_wday][:3], _MONTHS[utc.tm_mon - 1]
    return f"{day}, {utc.tm_mday:02d} {month} {utc.tm_year:04d} {utc.tm_hour:02d}:{utc.tm_min:02d}:{utc.tm_sec:02d} GMT"


def parse(text: str) -> int | None:
    """The date as whole seconds since 1970 began; None where `text` is no HTTP date."""
    for form in _FORMS:
        # Compiled at first use: few requests carry a date, and re keeps what it compiled.
        if found := re.fullmatch(form, text, re.ASCII):
            return _seconds(**found.groupdict())
    return None


def _seconds(*, year: str, month: str, day: str, hour: str, minute: str, second: str) -> int | None:
    years = int(year)
    if len(year) == 2:
        years += 1900 if years >= _YEAR_TWO_DIGITS_START else 2000
    hours, minutes, seconds = int(hour), int(minute), int(second)
    if hours >= 24 or minutes >= 60 or seconds >= 60:
        return None
    try:
        # Python's calendar lacks the year 0, which is the same as 400.
        days = date(years or 400, _MONTHS.index(month.title()) + 1, int(day)).toordinal() - _ORDINAL_OF_1970
    except ValueError:
        return None
    if years == 0:
        days -= _DAYS_IN_400_YEARS
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
