"""The deployed stack as machines meet it: its door, function, table and bucket."""

from collections import Counter
from random import Random

from matchboxctl.cost import facts
from matchboxctl.cost.bill import ALB
from matchboxctl.plan.environments import Environments
from matchboxctl.plan.limits import Limits
from matchboxctl.plan.service import Reply, Step, syn_again
from matchboxctl.plan.table import Table
from matchboxctl.plan.token_bucket import TokenBucket

BALANCER = "load balancer: no capacity for the connection"
CLOUDFRONT = "CloudFront: more requests a second than its quota"
BUCKET = "S3: more requests a second than a prefix serves"

_FIVE_MINUTES = 300
# Around the median service time, as a logarithm; assumed.
_SPREAD = 0.3
# Calls of the table, and their read units.
_READS = {"/boot.ipxe": (0, 0), "/ipxe": (2, 4), "configuration": (3, facts.READS - 4)}
_FILE_READS = (1, facts.FILE_READS)


class Stack:
    """Serves the steps of a boot within the limits.

    `used` counts calls, reads and gets, `seconds` is the calls' time, and `history_boots` are the boots a second whose
    histories are written.
    """

    def __init__(self, limits: Limits, door: str, image_mb: float, random: Random, *, history: bool = True) -> None:
        self._limits, self._door, self._random = limits, door, random
        # Behind CloudFront files do not come from the function, and are not in its log.
        files = facts.FILES if door == ALB else 0
        lines = facts.REQUESTS - 1 + files
        units = facts.HISTORY_WRITES + (facts.FILE_HISTORY * (1 + files) if files else 0)
        self.history_boots = limits.history_writes / units
        busy = self.history_boots * lines * facts.HISTORY_WARM
        if reserved := limits.history_concurrency:
            self.history_boots *= min(1, reserved / busy)
        taken = (reserved or round(busy)) if history else 0
        self.environments = Environments(limits, max(1, limits.quota - taken))
        self.table = Table(limits)
        self._bucket = TokenBucket(limits.bucket_gets, limits.bucket_gets)
        connections = limits.balancer_units * 25 or limits.balancer_connections
        rate = connections if door == ALB else limits.cloudfront_requests
        self._connections = TokenBucket(rate, rate)
        self._grows = _FIVE_MINUTES
        self.used = Counter[str]()
        self.seconds = 0.0
        size = image_mb * 1e6
        # A kernel is about a tenth of an image.
        self.steps = (
            Step("/boot.ipxe", limits.round_trip),
            Step("/ipxe", limits.round_trip, follows=True),
            Step("kernel", limits.round_trip, size * 0.1, follows=True),
            Step("initramfs", limits.round_trip, size * 0.9, follows=True),
            Step("configuration", limits.system_start, by_ipxe=False),
        )

    def request(self, step: Step, now: float, attempt: int) -> Reply:
        """The response to a request at this time; `attempt` counts those before."""
        self._grow(now)
        is_kept = step.follows and self._door == ALB and self._limits.keep_alive
        if not is_kept and self._connections.take(now) is None:
            if self._door != ALB:
                return Reply(self._limits.round_trip, CLOUDFRONT)
            return Reply(0, BALANCER, syn_again(attempt))
        if step.size and self._door != ALB:
            return Reply(self._limits.round_trip)
        return self._call(step, now)

    def _call(self, step: Step, now: float) -> Reply:
        is_cold, reason = self.environments.admit(now)
        if reason:
            return Reply(self._limits.round_trip, reason)
        calls, units = _FILE_READS if step.size else _READS[step.name]
        busy, again = self._time(calls, is_cold=is_cold), None
        if units:
            wait, reason = self.table.read(now, units)
            busy += wait
        if reason:
            again = self._random.uniform(2, 10)
        else:
            self.used["reads"] += units
            if step.size:
                busy += self._limits.bucket_call
                self.used["gets"] += 1 + facts.FILE_HEADS
                if self._bucket.take(now, 1 + facts.FILE_HEADS) is None:
                    # The machine's own request of a file is refused; the function's are retried.
                    reason = BUCKET
        self.environments.hold(now + busy)
        self.used["calls"] += 1
        self.seconds += busy
        return Reply(busy, reason, again)

    def _time(self, calls: int, *, is_cold: bool) -> float:
        limits = self._limits
        median = limits.warm_processor / limits.processor + calls * limits.table_call
        if is_cold:
            median += limits.environment_start + limits.init + limits.first_processor / limits.processor
        return median * self._random.lognormvariate(0, _SPREAD)

    def _grow(self, now: float) -> None:
        if now >= self._grows and self._door == ALB and not self._limits.balancer_units:
            self._connections.rate *= self._limits.balancer_growth
            self._grows += _FIVE_MINUTES
