"""One machine with `serve` as the model meets it: a processor, and a queue of connections in front of it."""

from collections import deque
from collections.abc import Mapping
from math import inf

from matchboxctl.plan.service import Reply, Step, syn_again
from matchboxctl.plan.token_bucket import TokenBucket
from matchboxctl.serve.http_server import ACCEPTED_AT_ONCE
from matchboxctl.serve.listeners import BACKLOG

QUEUE = "the queue of connections is full"


class OneMachine:
    """Serves requests in the order in which they come, each for its step's seconds of the one processor.

    A connection leaves the queue, of BACKLOG and one more, together with those that are accepted at once.
    """

    def __init__(self, seconds: Mapping[str, float]) -> None:
        self.steps = [Step(name) for name in seconds]
        self._seconds = seconds
        self._processor = TokenBucket(rate=1, burst=0)
        # When those in the queue are accepted, and the last ones, and how many these are.
        self._queue = deque[float]()
        self._accepted, self._count = 0.0, ACCEPTED_AT_ONCE

    def request(self, step: Step, now: float, attempt: int) -> Reply:
        """The response, or none to the SYN."""
        while self._queue and self._queue[0] <= now:
            self._queue.popleft()
        if len(self._queue) > BACKLOG:
            return Reply(0, QUEUE, syn_again(attempt))
        seconds = self._processor.take(now, self._seconds[step.name], inf)
        assert seconds is not None
        if self._count == ACCEPTED_AT_ONCE or self._accepted <= now:
            self._accepted, self._count = now + seconds - self._seconds[step.name], 0
        self._count += 1
        self._queue.append(self._accepted)
        return Reply(seconds)
