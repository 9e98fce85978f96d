"""The token bucket."""

from hypothesis import given
from hypothesis import strategies as st

from matchboxctl.plan.token_bucket import TokenBucket


@given(st.lists(st.floats(0, 3), max_size=60), st.integers(1, 5), st.integers(1, 5), st.floats(0, 2))
def test_never_gives_more_than_its_burst_and_rate(pauses: list[float], rate: int, burst: int, longest: float) -> None:
    bucket = TokenBucket(rate, burst)
    now = 0.0
    given_at = []
    for pause in pauses:
        now += pause
        wait = bucket.take(now, 1, longest)
        if wait is not None:
            assert 0 <= wait <= longest
            given_at.append(now + wait)
    for number, at in enumerate(given_at, 1):
        assert number <= burst + rate * at + 1e-6


def test_unused_tokens_beyond_the_burst_are_lost() -> None:
    bucket = TokenBucket(100, 2)
    assert [0, 0, None] == [bucket.take(1000) for _ in range(3)]
