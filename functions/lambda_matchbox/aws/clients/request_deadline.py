"""The deadline of the current request, which bounds all calls that it makes.

A context variable, because the protocols of the stores have no deadlines.
"""

import math
import time
from contextvars import ContextVar

_deadline: ContextVar[float] = ContextVar("deadline", default=math.inf)


class request_deadline:  # noqa: N801 (as suppress of contextlib)
    """Bounds all calls of the body, in this thread, to so many seconds together."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        self._token = _deadline.set(time.monotonic() + self._seconds)

    def __exit__(self, *_: object) -> None:
        _deadline.reset(self._token)


def deadline_within(seconds: float) -> float:
    """The deadline, of time.monotonic(), of a call that may take so many seconds: the request's if that is sooner."""
    return min(time.monotonic() + seconds, _deadline.get())
