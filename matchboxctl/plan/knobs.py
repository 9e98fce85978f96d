"""What an operator can change when a storm does not end well, each change with the scenario that follows."""

from collections.abc import Callable, Iterator
from functools import reduce
from math import ceil

from matchboxctl.cost import facts
from matchboxctl.plan.environments import QUOTA, RATE
from matchboxctl.plan.scenario import Result, Scenario
from matchboxctl.plan.stack import BALANCER
from matchboxctl.plan.table import TABLE

_CONNECTIONS_OF_A_UNIT, _FEWEST_UNITS = 25, 100
_MARGIN = 1.2
_Change = tuple[str, Callable[[Scenario], Scenario]]


def knobs(result: Result, within: float) -> Iterator[tuple[str, Scenario]]:
    """The changes that the result asks for, alone and together."""
    changes = [*_changes(result, within)]
    yield from ((name, change(result.scenario)) for name, change in changes)
    if len(changes) > 1:
        yield "all of these", reduce(lambda scenario, change: change[1](scenario), changes, result.scenario)


def _changes(result: Result, within: float) -> Iterator[_Change]:
    fleet, limits, refused = result.scenario.fleet, result.scenario.limits, result.outcome.refused
    if result.outcome.failed and not fleet.retry:
        yield "examples/ipxe/retry.ipxe in iPXE", lambda scenario: scenario.with_fleet(retry=True)
    if BALANCER in refused:
        spread = max(1.0, fleet.over + limits.firmware[1] - limits.firmware[0])
        connections = fleet.machines * (2 if limits.keep_alive else facts.REQUESTS + facts.FILES) / spread
        units = max(_FEWEST_UNITS, ceil(_MARGIN * connections / _CONNECTIONS_OF_A_UNIT))
        yield f"--balancer-units {units}", lambda scenario: scenario.with_limits(balancer_units=units)
    if QUOTA in refused or RATE in refused:
        quota = limits.quota * 3
        yield f"--quota {quota}", lambda scenario: scenario.with_limits(quota=quota)
    if TABLE in refused:
        reads = limits.table_quota
        yield f"--table-reads {reads}", lambda scenario: scenario.with_limits(table_reads=reads)
    if refused:
        over = max(2 * fleet.over, within / 2)
        yield f"--over {over:.0f}s", lambda scenario: scenario.with_fleet(over=over)
    if not refused and limits.line_gbit and result.outcome.within(within) < fleet.machines:
        # Files of all machines in three quarters of the time; a cache on site takes them off the line.
        line = ceil(fleet.machines * result.scenario.image_mb * 8 / 1000 / (0.75 * within))
        yield f"--line {line}, or a cache on site", lambda scenario: scenario.with_limits(line_gbit=line)
