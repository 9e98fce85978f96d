"""Dates in HTTP headers, in the three forms of RFC 9110, section 5.6.7, which Go's `http.ParseTime` reads."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

_TIME = "[0-9]{1,2}:[0-9]{2}:[0-9]{2}"
_FORMS = (
    f"[A-Z]{{3}}, +[0-9]{{2}} +[A-Z]{{3}} +[0-9]{{4}} +{_TIME} +GMT"
    f"|[A-Z]{{6,9}}, +[0-9]{{2}}-[A-Z]{{3}}-[0-9]{{2}} +{_TIME} +[A-Z0-9+-]+"
    f"|[A-Z]{{3}} +[A-Z]{{3}} +[0-9]{{1,2}} +{_TIME} +[0-9]{{4}}"
)


def unix_seconds(moment: datetime) -> int:
    """Whole seconds since 1970, rounded down. A moment without a zone is in UTC."""
    since = moment.replace(tzinfo=None) - datetime(1970, 1, 1) - (moment.utcoffset() or timedelta())
    return since // timedelta(seconds=1)


@lru_cache(maxsize=256)
def render(moment: datetime) -> str:
    """The date in the form that servers write, such as `Sun, 06 Nov 1994 08:49:37 GMT`."""
    from email.utils import formatdate

    return formatdate(unix_seconds(moment), usegmt=True)


def parse(text: str) -> int | None:
    """The date in whole seconds since 1970; None where `text` is not a date. The zone is ignored, as in Go."""
    # Compiled at first use: few requests carry a date, and re caches the pattern.
    if not re.fullmatch(_FORMS, text, re.ASCII | re.IGNORECASE):
        return None
    from email.utils import parsedate

    try:
        fields = parsedate(text)
        return None if fields is None else unix_seconds(datetime(*fields[:6], tzinfo=UTC))
    except (ValueError, IndexError, OverflowError):
        return None
