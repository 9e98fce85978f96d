"""Reads of an on-demand DynamoDB table, of which one item is read by all machines."""

from matchboxctl.plan.limits import Limits
from matchboxctl.plan.token_bucket import TokenBucket

TABLE = "DynamoDB: the table's read units are used up"
ITEM = "DynamoDB: one item's read units are used up"

_HALF_AN_HOUR = 1800


class Table:
    """Each half an hour it serves up to double the greatest rate so far, at most its quota."""

    def __init__(self, limits: Limits) -> None:
        self._quota = limits.table_quota
        self._deadline = limits.read_deadline
        self._table = TokenBucket(limits.table_reads, limits.table_reads)
        self._item = TokenBucket(limits.item_reads, limits.item_reads)
        self._second = self._units = self._peak = 0
        self._grows = _HALF_AN_HOUR
        self.longest_waits = {TABLE: 0.0, ITEM: 0.0}

    def read(self, now: float, units: int) -> tuple[float, str]:
        """The seconds that the reads wait, and why they are given up, if they are."""
        self._grow(now)
        waits = {ITEM: self._item.wait(now), TABLE: self._table.wait(now, units)}
        for reason, wait in waits.items():
            if wait > self._deadline:
                return self._deadline, reason
        for reason, wait in waits.items():
            self.longest_waits[reason] = max(self.longest_waits[reason], wait)
        self._item.take(now, 1, self._deadline)
        self._table.take(now, units, self._deadline)
        self._units += units
        return max(waits.values()), ""

    def _grow(self, now: float) -> None:
        if int(now) != self._second:
            self._peak = max(self._peak, self._units)
            self._second, self._units = int(now), 0
        if now >= self._grows:
            self._table.rate = min(self._quota, max(self._table.rate, 2.0 * self._peak))
            self._grows += _HALF_AN_HOUR
