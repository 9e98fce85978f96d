"""Dates are read and written as Go's net/http does."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.golang.http import dates

THEN = 784111777  # Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Sun, 06 Nov 1994 08:49:37 GMT", THEN),
        ("Sunday, 06-Nov-94 08:49:37 GMT", THEN),
        ("Sun Nov  6 08:49:37 1994", THEN),
        ("Sun Nov 06 08:49:37 1994", THEN),
        ("sUN, 06 nOV 1994 08:49:37 GMT", THEN),
        ("Mon, 06 Nov 1994 08:49:37 GMT", THEN),
        ("Sun,  06  Nov  1994  8:49:37.9  GMT", THEN),
        ("Sunday, 06-Nov-94 08:49:37 EST", THEN),
        ("Sunday, 06-Nov-94 08:49:37 GMT+3", THEN),
        ("Sunday, 06-Nov-94 08:49:37 -03", THEN),
        ("Sunday, 06-Nov-69 08:49:37 GMT", -4806623),
        ("Sunday, 06-Nov-68 08:49:37 GMT", 3119417377),
        ("Thu, 29 Feb 2024 00:00:00 GMT", 1709164800),
        ("Thu, 29 Feb 0000 00:00:00 GMT", -62162121600),
        ("Thu, 29 Feb 2023 00:00:00 GMT", None),
        ("Sun, 00 Nov 1994 08:49:37 GMT", None),
        ("Sun, 6 Nov 1994 08:49:37 GMT", None),
        ("Sun, 06 Nov 1994 24:00:00 GMT", None),
        ("Sun, 06 Nov 1994 08:60:00 GMT", None),
        ("Sun, 06 Nov 1994 08:49:60 GMT", None),
        ("Sun, 06 Nov 1994 08:49:37 gmt", None),
        ("Sun, 06 Nov 1994 08:49:37 UTC", None),
        ("Sunday, 06-Nov-94 08:49:37 GMT+24", None),
        ("Sunday, 06-Nov-94 08:49:37 GMTT", None),
        ("Sunday, 06-Nov-94 08:49:37 -3", None),
        ("Sun, 06 Nov 1994 08:49:37 GMT\n", None),
        ("Sun, 06 Nov ١٩٩٤ 08:49:37 GMT", None),
        ("784111777", None),
        ("", None),
    ],
)
def test_dates_are_read(text: str, expected: int | None) -> None:
    """The three forms of HTTP dates are read with the liberties that Go takes; all else is no date."""
    assert expected == dates.parse(text)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(1994, 11, 6, 8, 49, 37, 999999, UTC), "Sun, 06 Nov 1994 08:49:37 GMT"),
        (datetime(1994, 11, 6, 8, 49, 37), "Sun, 06 Nov 1994 08:49:37 GMT"),
        (datetime(1994, 11, 6, 10, 49, 37, tzinfo=timezone(timedelta(hours=2))), "Sun, 06 Nov 1994 08:49:37 GMT"),
        (datetime(1969, 12, 31, 23, 59, 59, 500000, UTC), "Wed, 31 Dec 1969 23:59:59 GMT"),
        (datetime.min.replace(tzinfo=timezone(timedelta(hours=1))), "Sun, 31 Dec 0000 23:00:00 GMT"),
        (datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))), "Sat, 01 Jan 10000 00:59:59 GMT"),
    ],
)
def test_dates_are_written(moment: datetime, expected: str) -> None:
    """A moment is written in UTC, its fraction of a second cut off."""
    assert expected == dates.render(moment)


@given(st.datetimes(timezones=st.timezones() | st.none()))
def test_a_written_date_is_read_back(moment: datetime) -> None:
    """Reading a written date gives the moment's second, in any zone."""
    text = dates.render(moment)
    year = int(text.split()[3])
    assert (dates.unix_seconds(moment) if year <= 9999 else None) == dates.parse(text)


@given(st.text(st.characters()) | st.text("SunNovday, -:.+0123456789GMT", max_size=40))
def test_any_text_is_a_date_or_none(text: str) -> None:
    """No text fails to be read, and a date lies in the years that four digits can name."""
    seconds = dates.parse(text)
    assert seconds is None or -62167219200 <= seconds < 253402300800
