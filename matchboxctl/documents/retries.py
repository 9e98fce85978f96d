"""Retries of calls to table and bucket while they are away, slow or throttling."""

import math
import time
from collections.abc import Callable
from itertools import count
from threading import Event
from typing import TypeVar

from lambda_matchbox.aws.catalog.object_cache import LostObjectError
from lambda_matchbox.aws.clients.boto3_errors import translated
from lambda_matchbox.aws.clients.request_deadline import deadline_within, request_deadline
from lambda_matchbox.backoff import Backoff
from lambda_matchbox.errors import StoreUnavailableError

_BACKOFF = Backoff(first=0.1, longest=2.0)

_Result = TypeVar("_Result")


class Retries:
    """Retries an attempt for `seconds`, within the request's deadline, until `end` is called; for any threads.

    The attempt itself retries nothing.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ending = Event()

    def end(self) -> None:
        """Let no call wait for another attempt."""
        self._ending.set()

    def __call__(self, attempt: Callable[[], _Result], deadline: float = math.inf) -> _Result:
        """The attempt's result.

        `deadline`, of time.monotonic(), is for threads without the request's own.

        Raises StoreUnavailableError if all attempts fail, AWSError at once for a refusal.
        """
        deadline = min(deadline_within(self._seconds), deadline)
        reason: StoreUnavailableError | None = None
        for number in count(1):
            try:
                # The last attempt has the rest of the time.
                with translated(), request_deadline(deadline - time.monotonic()):
                    return attempt()
            except LostObjectError:
                raise
            except StoreUnavailableError as error:
                # An attempt that the deadline cut short says nothing about the store; the one before it does.
                if reason is None or time.monotonic() < deadline:
                    reason = error
                if not _BACKOFF.wait(number, deadline, self._ending.wait):
                    raise reason from reason.__cause__
        raise AssertionError
