"""Storms at the deployed stack."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matchboxctl.cost import facts
from matchboxctl.cost.bill import ALB, CLOUDFRONT, DOORS
from matchboxctl.plan.environments import QUOTA, SCALE_UP
from matchboxctl.plan.knobs import knobs
from matchboxctl.plan.limits import STANDING, Limits
from matchboxctl.plan.scenario import Scenario, run
from matchboxctl.plan.stack import BALANCER, BUCKET
from matchboxctl.plan.storm import Fleet
from matchboxctl.plan.table import ITEM

AT_ONCE = Limits(firmware=(0, 0), dhcp=(0, 0), balancer_units=100_000)


def test_same_seed_gives_the_same_storm() -> None:
    scenario = Scenario(Fleet(300, 60), Limits(quota=3, start_burst=2))
    assert run(scenario) == run(scenario)
    assert run(scenario).outcome != run(scenario._replace(seed=2)).outcome


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 80),
    st.booleans(),
    st.sampled_from(DOORS),
    st.fixed_dictionaries(
        {
            "quota": st.integers(1, 40),
            "starts": st.integers(1, 20),
            "start_burst": st.integers(1, 20),
            "table_reads": st.integers(4, 100),
            "item_reads": st.integers(1, 50),
            "bucket_gets": st.integers(2, 50),
            "balancer_connections": st.integers(1, 100),
            "line_gbit": st.sampled_from((0, 0.1, 1)),
            "firmware": st.sampled_from(((0, 0), (0, 60))),
        }
    ),
)
def test_each_machine_ends_booted_or_failed_for_a_reason(
    machines: int, retry: bool, door: str, changed: dict[str, Any]
) -> None:
    limits = Limits(**changed)
    result = run(Scenario(Fleet(machines, retry=retry), limits, door))
    outcome = result.outcome
    assert machines == len(outcome.booted) + outcome.failed.total()
    assert sorted(outcome.booted) == outcome.booted
    assert "" not in outcome.failed
    assert result.most_busy <= min(limits.quota, result.environments)


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"quota": 60}, QUOTA),
        ({"start_burst": 10, "starts": 1}, SCALE_UP),
        ({"item_reads": 10, "quota": 5_000}, ITEM),
        ({"bucket_gets": 10}, BUCKET),
        ({"balancer_units": 0, "balancer_connections": 10}, BALANCER),
    ],
)
def test_limit_that_is_reached_is_named(limits: dict[str, float], reason: str) -> None:
    outcome = run(Scenario(Fleet(500), AT_ONCE)).outcome
    assert (500, 0) == (len(outcome.booted), outcome.refused[reason])
    assert 0 < run(Scenario(Fleet(500), AT_ONCE).with_limits(**limits)).outcome.refused[reason]


def test_boot_needs_two_connections_where_they_are_kept() -> None:
    limits = AT_ONCE._replace(balancer_units=0, balancer_connections=100, balancer_growth=1)
    few = Scenario(Fleet(1000, over=25), limits)
    assert 0 < run(few).outcome.failed[BALANCER]
    assert 1000 == len(run(few.with_limits(keep_alive=True)).outcome.booted)


def test_site_is_no_faster_than_its_line() -> None:
    result = run(Scenario(Fleet(100), AT_ONCE._replace(line_gbit=1), image_mb=100))
    assert 100 * 100e6 * 8 / 1e9 <= result.outcome.booted[-1] <= 110


def test_calm_storm_costs_what_the_bill_says_of_a_boot() -> None:
    result = run(Scenario(Fleet(1000, over=3600)))
    assert pytest.approx(1000 * (facts.READS + facts.FILES) * 0.125e-6) == result.usd["DynamoDB, reads"]
    assert pytest.approx(1000 * 5 * 0.2e-6) == result.usd["Lambda, calls"]
    assert "Load balancer" not in result.usd
    assert "Dashboard" not in result.usd


def test_door_decides_who_gives_the_files() -> None:
    doors = {door: run(Scenario(Fleet(10), door=door)).usd for door in DOORS}
    assert "CloudFront, requests" in doors[CLOUDFRONT]
    assert doors[CLOUDFRONT]["Lambda, calls"] < doors[ALB]["Lambda, calls"]


def test_history_is_late_when_boots_outrun_its_table() -> None:
    assert 0 == run(Scenario(Fleet(500), AT_ONCE, history=False)).history_lag
    assert 0.5 < run(Scenario(Fleet(500), AT_ONCE)).history_lag < 5


def test_reserved_concurrency_of_the_history_is_taken_from_the_quota() -> None:
    """A tenth of the calls that the table allows writes a tenth as fast, and leaves more to boots."""
    storm = Scenario(Fleet(500), AT_ONCE)
    lags = [run(storm.with_limits(history_concurrency=number)).history_lag for number in (0, 5)]
    assert 9 < lags[1] / lags[0] < 15
    assert [10, 55] == [run(storm.with_limits(quota=60, history_concurrency=n)).most_busy for n in (0, 5)]


def test_first_call_of_an_environment_takes_longer() -> None:
    one = Scenario(Fleet(1), AT_ONCE)
    cold = run(one).outcome.booted[0] - run(one.with_limits(environment_start=0, init=0)).outcome.booted[0]
    assert 0.15 < cold < 0.8


def test_knobs_help() -> None:
    """Each limit that refused requests has a change, and all changes together boot every machine."""
    limits = AT_ONCE._replace(quota=100, balancer_units=0, balancer_connections=300)
    result = run(Scenario(Fleet(1000), limits))
    assert 0 < result.outcome.failed.total()
    found = dict(knobs(result, 600))
    names = ["examples/ipxe/retry.ipxe in iPXE", "--balancer-units 240", "--quota 300", "--over 300s", "all of these"]
    # 1,000 machines with five connections in a second at the most, and a fifth more.
    assert names == [*found]
    together = run(found["all of these"]).outcome
    assert (1000, 1000) == (len(together.booted), together.within(600))


def test_slow_line_has_its_own_knob() -> None:
    result = run(Scenario(Fleet(100), AT_ONCE._replace(line_gbit=0.1)))
    [(name, changed)] = knobs(result, 120)
    assert "--line 1, or a cache on site" == name
    assert 100 == run(changed).outcome.within(120)


def test_every_limit_says_how_it_is_known() -> None:
    assert set(Limits._fields) == set(STANDING)


def test_installer_that_waits_for_the_balancer_all_day_fails() -> None:
    """Its attempts are counted without end."""
    limits = AT_ONCE._replace(balancer_units=0, balancer_connections=1, balancer_growth=1, system_start=0)
    outcome = run(Scenario(Fleet(40, retry=True), limits)).outcome
    assert 40 == len(outcome.booted) + outcome.failed.total()
