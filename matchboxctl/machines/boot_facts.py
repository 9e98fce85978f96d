"""What one boot tells of all boots: when it began, what it delivered, where it failed, how long its steps took."""

from collections.abc import Iterator, Sequence
from http import HTTPStatus
from itertools import pairwise
from typing import NamedTuple

from lambda_matchbox.catalog.profiles import Profile
from lambda_matchbox.machines.boots import Boot
from lambda_matchbox.machines.events import Event
from matchboxctl.machines.boot_steps import Step, StepName, boot_steps
from matchboxctl.machines.event_texts import event_text

STOPPED_AFTER = 900_000
"""The milliseconds after the last event of a boot without its configuration from which it has stopped."""


class Failure(NamedTuple):
    """A step that failed, was refused, or was the last of a boot that stopped; in milliseconds since 1970."""

    time: int
    step: StepName
    what: str


class Way(NamedTuple):
    """From one step that was seen to the next one: how many milliseconds it took."""

    before: StepName
    step: StepName
    took: int


class BootFacts(NamedTuple):
    """A boot of the machine with this id, in milliseconds since 1970; 0 is never.

    It began when the machine got a script to boot with. `waits` is when it was told to wait.
    """

    machine: str
    begun: int = 0
    delivered: int = 0
    waits: tuple[int, ...] = ()
    failures: tuple[Failure, ...] = ()
    ways: tuple[Way, ...] = ()
    group: str = ""
    release: str = ""


def boot_facts(machine: str, boot: Boot, profile: Profile | None, now: int) -> BootFacts:
    """The facts of a boot, of a machine that got this profile if it is known."""
    steps = boot_steps(boot, profile)
    begun = next((event.time for event in boot.events if event.gave_script), 0)
    return BootFacts(
        machine,
        begun,
        next(
            (event.time for step in steps if step.name == "configuration" for event in step.events if _gave(event)), 0
        ),
        tuple(event.time for event in boot.events if event.verdict == "wait"),
        (*_failures(steps), *(_stop(steps, now) if begun and profile is not None else ())),
        tuple(_ways(steps, begun)) if begun else (),
        next((event.group for event in reversed(boot.events) if event.group), ""),
        boot.release,
    )


def _gave(event: Event) -> bool:
    return event.status == HTTPStatus.OK and event.verdict in ("", "allow")


def _failures(steps: Sequence[Step]) -> Iterator[Failure]:
    for step in steps:
        if step.outcome in ("failed", "refused"):
            last = step.events[-1]
            yield Failure(last.time, step.name, event_text(last._replace(inferred=False)))


def _stop(steps: Sequence[Step], now: int) -> Iterator[Failure]:
    """The step after which nothing came, of a boot whose profile has a configuration that was not asked for."""
    seen = [step for step in steps if step.events]
    is_open = any(step.name == "configuration" and step.outcome == "open" for step in steps)
    last = max(seen, key=lambda step: step.events[-1].time)
    if is_open and last.outcome == "done" and last.events[-1].time < now - STOPPED_AFTER:
        yield Failure(last.events[-1].time, last.name, "nothing came after it")


def _ways(steps: Sequence[Step], begun: int) -> Iterator[Way]:
    seen = [step for step in steps if step.events]
    for one, other in pairwise(seen):
        before = begun if one.name == "script" else one.events[0].time
        after = other.events[0].time
        # Events that came out of order are of no use.
        if one.outcome == other.outcome == "done" and begun <= before <= after:
            yield Way(one.name, other.name, after - before)
