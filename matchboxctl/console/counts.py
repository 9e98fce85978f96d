"""The number of machines by state, for the bar of a console."""

import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import NamedTuple

from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.machines.history_stores import TooManyError
from matchboxctl.machines.opened_stores import OpenedStores

_SHARE = 20
_HOUR = 3600.0
_WAIT_SECONDS = 0.05


class Numbers(NamedTuple):
    """The numbers, or why there are none."""

    of: Mapping[str, int] | None
    why_not: str = ""


_COUNTING = Numbers(None, "The machines of each state are being counted.")
_MANY = Numbers(None, "There are more machines than the table counts, about 20,000.")


class Counts:
    """The numbers, counted again after so many seconds, and so that it takes little of all time.

    Where there are too many, that is found out again after an hour. With `aside`, a thread counts, and pages have the
    numbers from before: in a table it reads a whole index.
    """

    def __init__(self, seconds: float, *, aside: bool) -> None:
        self._seconds = seconds
        self._thread = ThreadPoolExecutor(1, "counts") if aside else None
        self._counting: Future[None] | None = None
        self._found = _COUNTING
        self._until = self._too_many_until = 0.0
        self._expired = 0

    def of(self, opened: OpenedStores) -> Numbers:
        """The numbers of now, or of a while ago."""
        is_due = time.monotonic() >= max(self._until, self._too_many_until)
        if is_due and (self._counting is None or self._counting.done()):
            if self._thread is None:
                self._count(opened)
            else:
                self._counting = self._thread.submit(self._count, opened)
        if self._counting is not None:
            # Where it takes longer, the next page has them.
            with suppress(TimeoutError):
                self._counting.result(_WAIT_SECONDS)
        return self._found

    def _count(self, opened: OpenedStores) -> None:
        start, expired = time.monotonic(), self._expired
        try:
            with opened.history.required() as history:
                self._found = Numbers(history.states())
        except TooManyError:
            self._found, self._too_many_until = _MANY, start + _HOUR
        except StoreUnavailableError:
            self._found = _COUNTING
        finally:
            end = time.monotonic()
            # What has changed meanwhile may not be counted.
            if expired == self._expired:
                self._until = end + max(self._seconds, _SHARE * (end - start))

    def expire(self) -> None:
        """Count again when they are wanted next."""
        self._expired += 1
        self._until = 0.0

    def close(self) -> None:
        """Wait for the thread."""
        if self._thread is not None:
            self._thread.shutdown()
