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
        ("Sunday, 06-Nov-94 08:49:37 EST", THEN),
        ("Sunday, 06-Nov-94 08:49:37 GMT+3", THEN),
        ("Sunday, 06-Nov-94 08:49:37 -03", THEN),
        ("Sunday, 06-Nov-69 08:49:37 GMT", -4806623),
        ("Sunday, 06-Nov-68 08:49:37 GMT", 3119417377),
        ("Thu, 29 Feb 2024 00:00:00 GMT", 1709164800),
        ("Thu, 29 Feb 2023 00:00:00 GMT", None),
        ("Sun, 00 Nov 1994 08:49:37 GMT", None),
        ("Sun, 06 Nov 1994 24:00:00 GMT", None),
        ("Sun, 06 Nov 1994 08:60:00 GMT", None),
        ("Sun, 06 Nov 1994 08:49:60 GMT", None),
        ("Sun, 06 Nov 2033 08:49:37 +0500", None),
        ("1 Jan 2033 0:0", None),
        ("784111777", None),
        ("", None),
    ],
)
def test_the_three_forms_of_dates_are_read(text: str, expected: int | None) -> None:
    assert expected == dates.parse(text)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(1994, 11, 6, 8, 49, 37, 999999, UTC), "Sun, 06 Nov 1994 08:49:37 GMT"),
        (datetime(1994, 11, 6, 8, 49, 37), "Sun, 06 Nov 1994 08:49:37 GMT"),
        (datetime(1994, 11, 6, 10, 49, 37, tzinfo=timezone(timedelta(hours=2))), "Sun, 06 Nov 1994 08:49:37 GMT"),
        (datetime(1969, 12, 31, 23, 59, 59, 500000, UTC), "Wed, 31 Dec 1969 23:59:59 GMT"),
    ],
)
def test_a_moment_is_written_in_utc_without_its_fraction(moment: datetime, expected: str) -> None:
    assert expected == dates.render(moment)


@given(st.datetimes(datetime(1000, 1, 2), datetime(9999, 12, 30), timezones=st.timezones() | st.none()))
def test_a_written_date_is_read_back(moment: datetime) -> None:
    assert dates.unix_seconds(moment) == dates.parse(dates.render(moment))


@given(st.text(st.characters()) | st.text("SunNovday, -:.+0123456789GMT", max_size=40))
def test_any_text_is_a_date_or_none(text: str) -> None:
    seconds = dates.parse(text)
    assert seconds is None or -62135596800 <= seconds < 253402300800
