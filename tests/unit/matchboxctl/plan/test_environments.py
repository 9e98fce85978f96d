"""Lambda's environments."""

from hypothesis import given
from hypothesis import strategies as st

from matchboxctl.plan.environments import QUOTA, RATE, SCALE_UP, Environments
from matchboxctl.plan.limits import Limits


@given(
    st.lists(st.tuples(st.floats(0, 0.2), st.floats(0.01, 3)), max_size=100),
    st.integers(1, 8),
    st.integers(1, 4),
    st.integers(1, 4),
)
def test_limits_are_obeyed(calls: list[tuple[float, float]], quota: int, burst: int, rate: int) -> None:
    """Never more at once than the quota, nor more started than the bucket gave, nor more calls than it allows."""
    environments = Environments(Limits(starts=rate, start_burst=burst, calls_of_an_environment=5), quota)
    now, served, ends = 0.0, 0, list[float]()
    for pause, seconds in calls:
        now += pause
        started = environments.started
        is_cold, reason = environments.admit(now)
        assert is_cold == (environments.started > started)
        if not reason:
            served += 1
            environments.hold(now + seconds)
            ends.append(now + seconds)
        assert environments.started <= burst + rate * now + 1e-6
        assert sum(end > now for end in ends) <= quota
        assert served <= quota * 5 * (1 + now) + 1e-6
    assert environments.most_busy <= quota


def test_each_limit_names_itself() -> None:
    limits = Limits(starts=0.1, start_burst=1, calls_of_an_environment=3)
    full = Environments(limits, 1)
    assert (True, "") == full.admit(0)
    full.hold(1)
    assert (False, QUOTA) == full.admit(0.5)
    assert (False, "") == full.admit(1)
    full.hold(1.1)
    fast = Environments(limits, 2)
    assert (True, "") == fast.admit(0)
    fast.hold(9)
    assert (False, SCALE_UP) == fast.admit(0)
    often = Environments(limits, 1)
    found = []
    for number in range(4):
        found.append(often.admit(number / 100)[1])
        often.hold(number / 100)
    assert ["", "", "", RATE] == found


def test_idle_environment_is_used_before_one_starts() -> None:
    environments = Environments(Limits(), 10)
    for second in range(5):
        assert (second == 0, "") == environments.admit(second)
        environments.hold(second + 0.5)
    assert 1 == environments.started
