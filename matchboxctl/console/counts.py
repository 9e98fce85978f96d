"""The number of machines by state, for the bar of a console."""

import time
from collections.abc import Mapping

from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.machines.history_stores import TooManyError
from matchboxctl.machines.opened_stores import OpenedStores

_SHARE = 20
_HOUR = 3600.0


class Counts:
    """The numbers, counted again after so many seconds, and so that it takes little of all time.

    Where there are too many, that is found out again after an hour.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._found: Mapping[str, int] | None = None
        self._until = self._too_many_until = 0.0

    def of(self, opened: OpenedStores) -> Mapping[str, int] | None:
        """The numbers; None where there are more machines than the store counts."""
        now = time.monotonic()
        if now >= max(self._until, self._too_many_until):
            try:
                with opened.history.required() as history:
                    self._found = history.states()
            except TooManyError:
                self._found, self._too_many_until = None, now + _HOUR
            except StoreUnavailableError:
                self._found = None
            took = time.monotonic() - now
            self._until = now + max(self._seconds, _SHARE * took)
        return self._found

    def expire(self) -> None:
        """Count again when they are wanted next."""
        self._until = 0.0
