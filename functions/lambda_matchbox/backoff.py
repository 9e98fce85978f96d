"""The retry policy of every client: exponential backoff with jitter, until a deadline."""

import time
from collections.abc import Callable
from typing import NamedTuple


class Backoff(NamedTuple):
    """Pauses in seconds: `first` after the first failed attempt, doubled after each further one, up to `longest`.

    Up to half of each pause is taken off at random, so that clients that were refused together do not return together.
    """

    first: float = 0.05
    longest: float = 0.5

    def pause(self, attempt: int) -> float:
        """The pause after `attempt` failed attempts."""
        pause = min(self.longest, self.first * 2 ** min(attempt - 1, 16))
        # Imported where it is needed: first attempts are not retried.
        import random

        return random.uniform(pause / 2, pause)  # noqa: S311 - jitter, not secrecy

    def wait(self, attempt: int, deadline: float, sleep: Callable[[float], object] | None = None) -> bool:
        """Sleep after `attempt` failed attempts; returns False at once if the pause would end after `deadline`.

        `deadline` is a moment of time.monotonic(). A `sleep` that returns true was interrupted: False is returned.
        """
        pause = self.pause(attempt)
        if time.monotonic() + pause >= deadline:
            return False
        return not (sleep or time.sleep)(pause)
