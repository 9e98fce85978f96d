"""By when has the request to be answered that is under way?

A request may ask several questions, one after the other: each has its own time, and all of them what the request has.
"""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_end: ContextVar[float] = ContextVar("end", default=math.inf)


@contextmanager
def request_time(seconds: float) -> Iterator[None]:
    """Give what is asked in the body, by this thread, so many seconds in all."""
    token = _end.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _end.reset(token)


def deadline_of(seconds: float) -> float:
    """The moment of time.monotonic() by which a question that begins now, and may take so many seconds, has to end."""
    return min(time.monotonic() + seconds, _end.get())
