"""Answers of servers whose stores may be late on a busy machine: asked for again, as machines do that are told to."""

import time
from collections.abc import Callable
from typing import TypeVar

_LIMIT = 60.0
_PAUSE = 0.1

_Answer = TypeVar("_Answer")


def answered(ask: Callable[[], _Answer], status: Callable[[_Answer], int]) -> _Answer:
    """The first answer whose status is not 503, or the last one after a minute."""
    end = time.monotonic() + _LIMIT
    while status(answer := ask()) == 503 and time.monotonic() < end:
        time.sleep(_PAUSE)
    return answer
