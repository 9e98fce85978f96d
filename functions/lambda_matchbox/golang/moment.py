"""Go's time.Time, without a clock and with UTC as the local zone."""

from datetime import date, timedelta

from lambda_matchbox.golang import time_layout
from lambda_matchbox.golang.time_layout import Civil, TimeError
from lambda_matchbox.golang.values import GoObject

_DAY = 86_400
_NANO = 1_000_000_000
_EPOCH = date(1970, 1, 1)
_DAYS_IN_400_YEARS = 146_097


class Time(GoObject):
    """A moment in nanoseconds since 1970, with a zone: its offset in seconds east of UTC, and its name."""

    name = "time.Time"

    def __init__(self, nanoseconds: int, offset: int = 0, zone: str = "UTC") -> None:
        self.nanoseconds = nanoseconds
        self.offset = offset
        self.zone = zone

    @property
    def unix(self) -> int:
        """Seconds since 1970."""
        return self.nanoseconds // _NANO

    def format(self, form: str) -> str:
        """The time by that layout. Raises TimeError outside the years 0 to 9599."""
        days, seconds = divmod(self.unix + self.offset, _DAY)
        try:
            day = _EPOCH + timedelta(days + _DAYS_IN_400_YEARS)
        except OverflowError:
            raise TimeError("the time is outside the years 0 to 9599") from None
        return time_layout.formatted(Civil(day, seconds, self.nanoseconds % _NANO, self.offset, self.zone), form)

    def text(self) -> str:
        """The time as `{{.}}` prints it."""
        return self.format("2006-01-02 15:04:05.999999999 -0700 MST")

    def in_json(self) -> str:
        """The time by RFC 3339."""
        return self.format("2006-01-02T15:04:05.999999999Z07:00")


def parse_time(form: str, text: str) -> Time:
    """The time in `text` by the layout `form`. Raises TimeError."""
    civil = time_layout.parsed(form, text)
    days = (civil.day - _EPOCH).days - _DAYS_IN_400_YEARS
    nanoseconds = (days * _DAY + civil.seconds - civil.offset) * _NANO + civil.nanoseconds
    return Time(nanoseconds, civil.offset, civil.zone)
