"""Figures of all boots in a time."""

import pytest

from matchboxctl.machines.boot_facts import BootFacts, Failure, Way
from matchboxctl.machines.boot_figures import SPANS, Fault, Share, SlowBoot, StepTimes, figures

HOUR = SPANS["hour"]
NOW = 1_700_000_012_345
SINCE = HOUR.since(NOW)
MINUTE = 60_000


def test_spans_end_with_the_part_of_now() -> None:
    for span in SPANS.values():
        assert span.since(NOW) % span.part == 0
        assert span.since(NOW) + span.length - span.part <= NOW < span.since(NOW) + span.length


def test_each_event_is_in_its_part() -> None:
    boot = BootFacts("m", SINCE, SINCE + MINUTE, (SINCE + 3 * MINUTE,), (Failure(NOW, "kernel", "404"),))
    found = figures([boot], HOUR, NOW)
    assert 60 == len(found.parts)
    assert [(SINCE, 1, 0, 0, 0), (SINCE + MINUTE, 0, 1, 0, 0)] == found.parts[:2]
    assert (SINCE + 3 * MINUTE, 0, 0, 0, 1) == found.parts[3]
    assert (SINCE + 59 * MINUTE, 0, 0, 1, 0) == found.parts[59]
    assert not found.is_empty


def test_what_is_older_does_not_count_and_what_is_ahead_is_now() -> None:
    old = BootFacts("m", SINCE - 1, SINCE - 1, (SINCE - 1,), (Failure(SINCE - 1, "kernel", "404"),))
    assert figures([old], HOUR, NOW).is_empty
    assert ([], []) == (figures([old], HOUR, NOW).faults, figures([old], HOUR, NOW).groups)
    assert 1 == figures([BootFacts("m", NOW + 10 * MINUTE)], HOUR, NOW).parts[59].begun


def test_machine_that_asks_again_and_again_counts_once_in_each_part() -> None:
    def refused(machine: str, *times: int) -> BootFacts:
        return BootFacts(machine, waits=times, failures=tuple(Failure(time, "script", "404") for time in times))

    times = (SINCE, SINCE + 1, SINCE + MINUTE)
    found = figures([refused("a", *times), refused("a", SINCE + 2), refused("b", SINCE)], HOUR, NOW)
    assert [(2, 2), (1, 1)] == [(part.failed, part.waited) for part in found.parts[:2]]
    assert 2 == found.waited
    assert [Fault("script", "404", SINCE + MINUTE, ["a", "b"])] == found.faults


def test_slow_steps_have_half_most_and_the_slowest_boot_of_each_machine() -> None:
    boots = [BootFacts(f"m{at % 50}", SINCE, ways=(Way("script", "kernel", at),)) for at in range(1, 101)]
    boots.append(BootFacts("slow", SINCE, ways=(Way("kernel", "report", 7000),)))
    slow, quick = figures(boots, HOUR, NOW).times
    assert StepTimes("kernel", "report", 1, 7000, 7000, [SlowBoot(7000, "slow")]) == slow
    assert (100, 50, 95) == (quick.boots, quick.half, quick.most)
    assert [SlowBoot(100, "m0"), SlowBoot(99, "m49"), SlowBoot(98, "m48")] == quick.slowest


@pytest.mark.parametrize("name", ["group", "release"])
def test_shares_are_of_boots_that_began(name: str) -> None:
    boots = [BootFacts("m", SINCE, **{name: f"n{min(at, 11)}"}) for at in range(20)]  # type: ignore[arg-type]
    found = figures([*boots, BootFacts("m", **{name: "none"})], HOUR, NOW)  # type: ignore[arg-type]
    shares, more = (found.groups, found.more_groups) if name == "group" else (found.releases, found.more_releases)
    assert (Share("n11", 9), 8, 4) == (shares[0], len(shares), more)
    assert 20 == sum(share.boots for share in shares) + more


def test_faults_of_the_most_machines_come_first() -> None:
    boots = [BootFacts(f"m{at}", failures=(Failure(SINCE + at, "kernel", f"w{at // 2}"),)) for at in range(25)]
    found = figures(boots, HOUR, NOW)
    assert (["w11", "w10"], 10, 3) == ([fault.what for fault in found.faults[:2]], len(found.faults), found.more_faults)


def test_no_boot_is_empty() -> None:
    assert figures([], HOUR, NOW).is_empty
