"""The storm, at services that are simpler than the stack."""

from collections.abc import Sequence
from random import Random

import pytest

from matchboxctl.plan.limits import Limits
from matchboxctl.plan.service import Reply, Step
from matchboxctl.plan.storm import STILL_WAITING, Fleet, Outcome, simulate

AT_ONCE = Limits(firmware=(0, 0), dhcp=(0, 0))


class Scripted:
    """Gives its replies in turn, then the last one for ever; `asked` are the times and steps of requests."""

    def __init__(self, steps: Sequence[Step], *replies: Reply) -> None:
        self.steps = steps
        self.asked: list[tuple[float, str]] = []
        self._replies = replies

    def request(self, step: Step, now: float, attempt: int) -> Reply:
        reply = self._replies[min(len(self.asked), len(self._replies) - 1)]
        self.asked.append((now, step.name))
        return reply


def storm(service: Scripted, fleet: Fleet, limits: Limits = AT_ONCE) -> Outcome:
    return simulate(fleet, service, limits, Random(1))


def test_steps_follow_one_another() -> None:
    service = Scripted([Step("a"), Step("b", pause=2)], Reply(1))
    assert [4] == storm(service, Fleet(1)).booted
    assert [(0, "a"), (3, "b")] == service.asked


def test_error_is_final_for_ipxe() -> None:
    outcome = storm(Scripted([Step("a")], Reply(1, "why")), Fleet(3))
    assert ([], {"why": 3}, {"why": 3}) == (outcome.booted, outcome.failed, outcome.refused)


def test_retry_after_is_obeyed() -> None:
    service = Scripted([Step("a")], Reply(1, "why", 7), Reply(1))
    assert [9] == storm(service, Fleet(1)).booted


def test_retry_script_begins_anew_after_ever_longer_pauses() -> None:
    service = Scripted([Step("a"), Step("b")], Reply(0), *[Reply(0, "why")] * 14, Reply(0))
    outcome = storm(service, Fleet(1, retry=True))
    pauses = [later - before for (before, _), (later, _) in zip(service.asked[1:], service.asked[2:], strict=False)]
    assert [5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 60, 60, 0] == pauses
    assert {"a"} == {name for _, name in service.asked[2:-1]}
    assert 1 == len(outcome.booted)


def test_installer_retries_by_itself() -> None:
    service = Scripted([Step("a", by_ipxe=False)], *[Reply(0, "why")] * 8, Reply(0))
    assert [0.1 + 0.2 + 0.4 + 0.8 + 1.6 + 3.2 + 5 + 5] == pytest.approx(storm(service, Fleet(1)).booted)


def test_machine_that_waits_for_ever_fails_after_a_day() -> None:
    outcome = storm(Scripted([Step("a")], Reply(1, "why", 3600)), Fleet(2))
    assert {STILL_WAITING: 2} == outcome.failed


def test_download_that_takes_longer_than_a_day_fails() -> None:
    outcome = storm(Scripted([Step("a", size=1e15)], Reply(0)), Fleet(2), AT_ONCE._replace(line_gbit=1))
    assert {STILL_WAITING: 2} == outcome.failed


def test_racks_get_power_one_after_another() -> None:
    assert [0, 0, 0, 20, 20, 20, 40] == [*Fleet(7, over=60, rack=3).powered(Random(1))]


def test_machines_get_power_within_the_time() -> None:
    times = [*Fleet(200, over=60).powered(Random(1))]
    assert 0 <= min(times) < 5
    assert 55 < max(times) <= 60
