"""A boot storm in virtual time: every machine ends booted, or failed for a reason."""

import heapq
from collections import Counter
from collections.abc import Iterator
from math import inf
from random import Random
from typing import NamedTuple

from matchboxctl.plan.limits import Limits
from matchboxctl.plan.line import Line
from matchboxctl.plan.service import Service

STILL_WAITING = "not finished after a day"
_DAY = 24 * 3600.0
_GIGABIT = 1e9 / 8
# Seconds: of examples/ipxe/retry.ipxe, and of Ignition for a configuration.
_RETRY_STEP, _LONGEST_RETRY = 5.0, 60.0
_FIRST_BACKOFF, _LONGEST_BACKOFF = 0.1, 5.0


class Fleet(NamedTuple):
    """Machines whose power comes back over so many seconds, one by one or in racks; `retry` is retry.ipxe."""

    machines: int
    over: float = 0
    rack: int = 0
    retry: bool = False

    def powered(self, random: Random) -> Iterator[float]:
        """When each machine gets power."""
        for number in range(self.machines):
            if self.rack:
                racks = -(-self.machines // self.rack)
                yield self.over * (number // self.rack) / racks
            else:
                yield random.uniform(0, self.over)


class Outcome(NamedTuple):
    """Seconds at which machines had booted, in order; failed machines and refused requests by reason."""

    booted: list[float]
    failed: Counter[str]
    refused: Counter[str]

    def within(self, seconds: float) -> int:
        """How many had booted by then."""
        return sum(at <= seconds for at in self.booted)


def simulate(fleet: Fleet, service: Service, limits: Limits, random: Random) -> Outcome:
    """The storm. The same seed of `random` gives the same one."""
    return _Storm(fleet, service, limits, random).outcome()


class _Storm:
    def __init__(self, fleet: Fleet, service: Service, limits: Limits, random: Random) -> None:
        self._fleet, self._service = fleet, service
        self._line = Line(limits.line_gbit * _GIGABIT or inf, limits.machine_gbit * _GIGABIT or inf)
        self._step = [0] * fleet.machines
        self._attempts = [0] * fleet.machines
        self._restarts = [0] * fleet.machines
        powered = [*fleet.powered(random)]
        starts = [at + random.uniform(*limits.firmware) + random.uniform(*limits.dhcp) for at in powered]
        # Of each: time, order, machine, whether the response to its request is there.
        self._events = [(at, number, number, False) for number, at in enumerate(starts)]
        heapq.heapify(self._events)
        self._order = fleet.machines
        self._outcome = Outcome([], Counter(), Counter())

    def outcome(self) -> Outcome:
        """Run to the end."""
        booted, failed = self._outcome.booted, self._outcome.failed
        while True:
            now = self._events[0][0] if self._events else inf
            end = self._line.next_end()
            if min(now, end) > _DAY:
                break
            if end <= now:
                self._finish(end, self._line.end(end))
                continue
            _, _, machine, has_response = heapq.heappop(self._events)
            if has_response:
                self._received(now, machine)
            else:
                self._request(now, machine)
        if left := self._fleet.machines - len(booted) - failed.total():
            failed[STILL_WAITING] = left
        return self._outcome

    def _later(self, at: float, machine: int, *, has_response: bool = False) -> None:
        self._order += 1
        heapq.heappush(self._events, (at, self._order, machine, has_response))

    def _request(self, now: float, machine: int) -> None:
        step = self._service.steps[self._step[machine]]
        attempt = self._attempts[machine]
        seconds, reason, again = self._service.request(step, now, attempt)
        if not reason:
            self._attempts[machine] = 0
            self._later(now + seconds, machine, has_response=True)
            return
        self._outcome.refused[reason] += 1
        self._attempts[machine] += 1
        if again is None and not step.by_ipxe:
            again = min(_LONGEST_BACKOFF, _FIRST_BACKOFF * 2 ** min(attempt, 16))
        if again is None and self._fleet.retry:
            self._restarts[machine] += 1
            self._step[machine] = self._attempts[machine] = 0
            again = min(_LONGEST_RETRY, _RETRY_STEP * self._restarts[machine])
        if again is None:
            self._outcome.failed[reason] += 1
        else:
            self._later(now + seconds + again, machine)

    def _received(self, now: float, machine: int) -> None:
        if size := self._service.steps[self._step[machine]].size:
            self._line.start(now, machine, size)
        else:
            self._finish(now, machine)

    def _finish(self, now: float, machine: int) -> None:
        self._step[machine] += 1
        if self._step[machine] == len(self._service.steps):
            self._outcome.booted.append(now)
        else:
            self._later(now + self._service.steps[self._step[machine]].pause, machine)
