"""The deadline of the current request, which bounds all calls that it makes.

A context variable, because the protocols of the stores have no deadlines.
"""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_deadline: ContextVar[float] = ContextVar("deadline", default=math.inf)


@contextmanager
def request_deadline(seconds: float) -> Iterator[None]:
    """Bound all calls of the body, in this thread, to so many seconds together."""
    token = _deadline.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


def deadline_within(seconds: float) -> float:
    """The deadline, of time.monotonic(), of a call that may take so many seconds: the request's if that is sooner."""
    return min(time.monotonic() + seconds, _deadline.get())
