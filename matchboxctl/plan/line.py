"""The line of a site, which the downloads of its machines share."""

import heapq
from math import inf


class Line:
    """`rate` bytes a second in equal shares, of at most `most` for a download."""

    def __init__(self, rate: float, most: float) -> None:
        self._rate, self._most = rate, most
        # Bytes that each download has been given since the beginning; a download ends when this reaches its number.
        self._given = self._last = 0.0
        self._downloads: list[tuple[float, int, int]] = []
        self._started = 0

    def start(self, now: float, machine: int, size: float) -> None:
        """Begin a download of `size` bytes."""
        self._advance(now)
        self._started += 1
        heapq.heappush(self._downloads, (self._given + size, self._started, machine))

    def next_end(self) -> float:
        """When the next download ends, if none begins before."""
        if not self._downloads:
            return inf
        return self._last + max(0.0, self._downloads[0][0] - self._given) / self._speed()

    def end(self, now: float) -> int:
        """End that download; returns its machine."""
        self._advance(now)
        return heapq.heappop(self._downloads)[2]

    def _advance(self, now: float) -> None:
        if self._downloads:
            self._given += (now - self._last) * self._speed()
        self._last = now

    def _speed(self) -> float:
        return min(self._most, self._rate / len(self._downloads))
