"""The number of machines by state, for the bar of a console."""

import time
from collections.abc import Mapping

from lambda_matchbox.errors import StoreUnavailableError
from matchboxctl.machines.opened_stores import OpenedStores

_SHARE = 20


class Counts:
    """The numbers, counted again after so many seconds, and so that it takes little of all time."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._found: Mapping[str, int] | None = None
        self._until = 0.0

    def of(self, opened: OpenedStores) -> Mapping[str, int] | None:
        """The numbers; None where there are more machines than the store counts."""
        now = time.monotonic()
        if now >= self._until:
            try:
                with opened.history.required() as history:
                    self._found = history.states()
            except StoreUnavailableError:
                self._found = None
            took = time.monotonic() - now
            self._until = now + max(self._seconds, _SHARE * took)
        return self._found

    def expire(self) -> None:
        """Count again when they are wanted next."""
        self._until = 0.0
