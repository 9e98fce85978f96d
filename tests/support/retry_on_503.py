"""Requests that are sent again while the response is 503, since a store may be slow on a busy machine."""

import time
from collections.abc import Callable
from typing import TypeVar

_LIMIT = 60.0
_PAUSE = 0.1

_Response = TypeVar("_Response")


def retry_on_503(request: Callable[[], _Response], status: Callable[[_Response], int]) -> _Response:
    """The first response with another status, or the last one after a minute."""
    end = time.monotonic() + _LIMIT
    while status(response := request()) == 503 and time.monotonic() < end:
        time.sleep(_PAUSE)
    return response
