"""A token bucket in virtual time."""


class TokenBucket:
    """Holds at most `burst` tokens and gains `rate` of them a second; times never go back."""

    def __init__(self, rate: float, burst: float) -> None:
        self.rate = rate
        self._burst = self._tokens = burst
        self._last = 0.0

    def wait(self, now: float, amount: float = 1) -> float:
        """The seconds until so many tokens are there."""
        self._tokens = min(self._burst, self._tokens + (now - self._last) * self.rate)
        self._last = now
        return max(0.0, (amount - self._tokens) / self.rate)

    def take(self, now: float, amount: float = 1, longest: float = 0) -> float | None:
        """Take tokens, or promise them within `longest` seconds; the seconds until they are there, None if longer."""
        wait = self.wait(now, amount)
        if wait > longest:
            return None
        self._tokens -= amount
        return wait
