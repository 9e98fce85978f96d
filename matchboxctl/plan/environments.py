"""Lambda's execution environments of one function, each of which serves one call at a time."""

import heapq

from matchboxctl.plan.limits import Limits
from matchboxctl.plan.token_bucket import TokenBucket

QUOTA = "Lambda: the concurrency quota is used up"
SCALE_UP = "Lambda: environments start no faster"
RATE = "Lambda: more calls a second than the quota allows"


class Environments:
    """At most `quota` at once; an idle one is used before one is started, and none ends during a storm."""

    def __init__(self, limits: Limits, quota: int) -> None:
        self._quota = quota
        self._starts = TokenBucket(limits.starts, limits.start_burst)
        calls = quota * limits.calls_of_an_environment
        self._calls = TokenBucket(calls, calls)
        self._busy: list[float] = []
        self.started = self.most_busy = 0

    def admit(self, now: float) -> tuple[bool, str]:
        """Whether the call would start an environment, and why it is throttled, if it is; `hold` must follow."""
        busy = self._busy
        while busy and busy[0] <= now:
            heapq.heappop(busy)
        if len(busy) >= self._quota:
            return False, QUOTA
        if self._calls.take(now) is None:
            return False, RATE
        if len(busy) < self.started:
            return False, ""
        if self._starts.take(now) is None:
            return False, SCALE_UP
        self.started += 1
        return True, ""

    def hold(self, until: float) -> None:
        """The environment that was admitted is busy until then."""
        heapq.heappush(self._busy, until)
        self.most_busy = max(self.most_busy, len(self._busy))
