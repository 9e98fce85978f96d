"""Figures of all boots in a time: how many and when, slow and failing steps, groups and releases by share."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from matchboxctl.machines.boot_facts import BootFacts
from matchboxctl.machines.boot_steps import StepName

_MINUTE = 60_000
_HOUR = 60 * _MINUTE
_MOST_SHARES = 8
_MOST_FAULTS = 10
_MOST_SLOW = 3


class Span(NamedTuple):
    """A time until now, and of what length its parts are; in milliseconds."""

    name: str
    length: int
    part: int

    def since(self, now: int) -> int:
        """When its first part begins: the last one is that of now."""
        return (now // self.part + 1) * self.part - self.length


SPANS = {
    span.name: span
    for span in (
        Span("hour", _HOUR, _MINUTE),
        Span("day", 24 * _HOUR, 30 * _MINUTE),
        Span("week", 7 * 24 * _HOUR, 3 * _HOUR),
    )
}


class Part(NamedTuple):
    """What happened in a part of the time.

    Boots that began, configurations that were delivered, steps that failed, each once of a machine, and machines that
    were told to wait.
    """

    start: int
    begun: int
    delivered: int
    failed: int
    waited: int


class SlowBoot(NamedTuple):
    """A boot that took so many milliseconds from one step to another."""

    took: int
    machine: str


class StepTimes(NamedTuple):
    """How long boots took from one step to another: half of them at most `half`, 95 of 100 at most `most`."""

    before: StepName
    step: StepName
    boots: int
    half: int
    most: int
    slowest: Sequence[SlowBoot]


class Fault(NamedTuple):
    """What went wrong in a step, when last, and with which machines, the last one first."""

    step: StepName
    what: str
    newest: int
    machines: Sequence[str]


class Share(NamedTuple):
    """Of the boots that began, those of one group or release; of none if its name is empty."""

    name: str
    boots: int


class Figures(NamedTuple):
    """Shares and faults are the greatest ones: `more_…` are how many boots or kinds of faults were left out."""

    parts: Sequence[Part]
    waited: int
    times: Sequence[StepTimes]
    faults: Sequence[Fault]
    more_faults: int
    groups: Sequence[Share]
    more_groups: int
    releases: Sequence[Share]
    more_releases: int

    @property
    def is_empty(self) -> bool:
        """Whether nothing happened."""
        return not any(any(part[1:]) for part in self.parts)


def figures(boots: Iterable[BootFacts], span: Span, now: int) -> Figures:
    """The figures of these boots."""
    since = span.since(now)
    number = span.length // span.part
    begun, delivered = Counter[int](), Counter[int]()
    failed: set[tuple[int, str, str]] = set()
    waited: set[tuple[int, str]] = set()
    took: dict[tuple[StepName, StepName], list[SlowBoot]] = defaultdict(list)
    faults: dict[tuple[StepName, str], dict[str, int]] = defaultdict(dict)
    groups, releases = Counter[str](), Counter[str]()

    def at(time: int) -> int:
        # A clock may be ahead of this one.
        return min((time - since) // span.part, number - 1)

    for boot in boots:
        if boot.begun >= since:
            begun[at(boot.begun)] += 1
            groups[boot.group] += 1
            releases[boot.release] += 1
        if boot.delivered >= since:
            delivered[at(boot.delivered)] += 1
        waited.update((at(time), boot.machine) for time in boot.waits if time >= since)
        for way in boot.ways:
            took[way.before, way.step].append(SlowBoot(way.took, boot.machine))
        for failure in boot.failures:
            if failure.time >= since:
                failed.add((at(failure.time), boot.machine, failure.step))
                machines = faults[failure.step, failure.what]
                machines[boot.machine] = max(machines.get(boot.machine, 0), failure.time)

    failures, waits = Counter(part for part, _, _ in failed), Counter(part for part, _ in waited)
    found = sorted((_fault(*kind, machines) for kind, machines in faults.items()), key=_weight, reverse=True)
    return Figures(
        [
            Part(since + part * span.part, begun[part], delivered[part], failures[part], waits[part])
            for part in range(number)
        ],
        len({machine for _, machine in waited}),
        sorted((_times(*way, slow) for way, slow in took.items()), key=lambda times: times.most, reverse=True),
        found[:_MOST_FAULTS],
        len(found[_MOST_FAULTS:]),
        *_shares(groups),
        *_shares(releases),
    )


def _times(before: StepName, step: StepName, boots: list[SlowBoot]) -> StepTimes:
    ordered = sorted(boots, reverse=True)
    slowest = {boot.machine: boot for boot in reversed(ordered)}
    few = sorted(slowest.values(), reverse=True)[:_MOST_SLOW]
    return StepTimes(before, step, len(ordered), ordered[len(ordered) // 2].took, ordered[len(ordered) // 20].took, few)


def _fault(step: StepName, what: str, machines: dict[str, int]) -> Fault:
    newest_first = sorted(machines, key=lambda machine: machines[machine], reverse=True)
    return Fault(step, what, machines[newest_first[0]], newest_first)


def _weight(fault: Fault) -> tuple[int, int]:
    return len(fault.machines), fault.newest


def _shares(counted: Counter[str]) -> tuple[list[Share], int]:
    ordered = [Share(*pair) for pair in counted.most_common()]
    return ordered[:_MOST_SHARES], sum(share.boots for share in ordered[_MOST_SHARES:])
