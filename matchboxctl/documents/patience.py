"""How long is a store asked that is away, slow or throttling?"""

import math
import random
import time
from collections.abc import Callable
from threading import Event
from typing import TypeVar

from lambda_matchbox.aws.catalog.object_cache import LostObjectError
from lambda_matchbox.aws.clients.boto3_errors import translated
from lambda_matchbox.aws.clients.request_deadline import deadline_within, request_deadline
from lambda_matchbox.errors import StoreUnavailableError

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0

_Answer = TypeVar("_Answer")


class Patience:
    """Asks again until there is an answer, the time of the call is over, or `end` is called; for any number of threads.

    It asks for `seconds` at most.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ending = Event()

    def end(self) -> None:
        """Let nobody wait any longer."""
        self._ending.set()

    def __call__(self, attempt: Callable[[], _Answer], end: float = math.inf) -> _Answer:
        """What the attempt returns, which may be made several times.

        `end`, of time.monotonic(), is for a thread that does not know what time the call has.

        Raises StoreUnavailableError where that was in vain, AWSError for what is refused.
        """
        deadline, longest = min(deadline_within(self._seconds), end), _FIRST_PAUSE
        told: StoreUnavailableError | None = None
        while True:
            try:
                # The last attempt has what is left.
                with translated(), request_deadline(deadline - time.monotonic()):
                    return attempt()
            except LostObjectError:
                raise
            except StoreUnavailableError as error:
                # One that the deadline has cut short tells nothing of the store: what came before does.
                if told is None or time.monotonic() < deadline:
                    told = error
                # Random, so that those who were refused together do not come back together.
                pause = random.uniform(longest / 2, longest)  # noqa: S311 - spread, not secrecy
                if time.monotonic() + pause >= deadline or self._ending.wait(pause):
                    raise told from told.__cause__
            longest = min(2 * longest, _LONGEST_PAUSE)
