"""A storm of a fleet at a deployed stack, and what comes of it."""

from collections.abc import Mapping
from random import Random
from typing import Any, NamedTuple, Self

from matchboxctl.cost import facts
from matchboxctl.cost.bill import ALB, REGION
from matchboxctl.cost.bill import Plan as Month
from matchboxctl.plan.expenses import expenses
from matchboxctl.plan.limits import Limits
from matchboxctl.plan.stack import Stack
from matchboxctl.plan.storm import Fleet, Outcome, simulate


class Scenario(NamedTuple):
    """Machines that boot an image of `image_mb`; the same seed gives the same storm."""

    fleet: Fleet
    limits: Limits = Limits()
    door: str = ALB
    where: str = REGION
    image_mb: float = 100
    history: bool = True
    seed: int = 1

    def with_fleet(self, **changes: Any) -> Self:
        """The same with another fleet."""
        return self._replace(fleet=self.fleet._replace(**changes))

    def with_limits(self, **changes: Any) -> Self:
        """The same with other limits."""
        return self._replace(limits=self.limits._replace(**changes))


class Result(NamedTuple):
    """The outcome, and what it took of the stack: `waits` are the longest of reads, `usd` is by line of the bill."""

    scenario: Scenario
    outcome: Outcome
    environments: int
    most_busy: int
    waits: Mapping[str, float]
    history_lag: float
    usd: Mapping[str, float]

    def percentile(self, percent: int) -> float | None:
        """Seconds until so many of all machines had booted; None if so many never did."""
        rank = -(-self.scenario.fleet.machines * percent // 100)
        booted = self.outcome.booted
        return booted[rank - 1] if rank <= len(booted) else None


def run(scenario: Scenario) -> Result:
    """Simulate the storm."""
    random = Random(scenario.seed)  # noqa: S311 - reproducible, not secret
    stack = Stack(scenario.limits, scenario.door, scenario.image_mb, random, history=scenario.history)
    outcome = simulate(scenario.fleet, stack, scenario.limits, random)
    fleet, _, door, where, image_mb, history, _ = scenario
    month = Month(fleet.machines, 1 / facts.DAYS, image_mb, door, where, history)
    lag = _lag(outcome, stack.history_boots) if scenario.history else 0
    usd = expenses(month, stack.used, stack.seconds)
    environments = stack.environments
    waits = stack.table.longest_waits
    return Result(scenario, outcome, environments.started, environments.most_busy, waits, lag, usd)


def _lag(outcome: Outcome, boots_a_second: float) -> float:
    """How late the history of a boot is at most."""
    written = lag = 0.0
    for at in outcome.booted:
        written = max(written, at) + 1 / boots_a_second
        lag = max(lag, written - at)
    return lag
