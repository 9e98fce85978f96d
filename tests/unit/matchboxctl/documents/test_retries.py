"""The reason that a caller gets when all attempts fail."""

from collections.abc import Iterator
from unittest.mock import Mock, patch

import pytest

from lambda_matchbox.errors import StoreUnavailableError
from matchboxctl.documents.retries import Retries


@pytest.fixture
def clock() -> Iterator[Mock]:
    """What tells the time: `monotonic.return_value`, which only the attempts move."""
    clock = Mock()
    clock.monotonic.return_value = 100.0
    with (
        patch("matchboxctl.documents.retries.time", clock),
        patch("lambda_matchbox.aws.clients.request_deadline.time", clock),
        patch("lambda_matchbox.backoff.time", clock),
    ):
        yield clock


def _asked(clock: Mock, *attempts: tuple[str, float]) -> str:
    """The reason after 10 seconds of attempts, each with its reason and the time that it took."""
    left = iter(attempts)

    def attempt() -> None:
        reason, seconds = next(left)
        clock.monotonic.return_value += seconds
        raise StoreUnavailableError(reason)

    with pytest.raises(StoreUnavailableError) as caught:
        Retries(10.0)(attempt)
    assert [] == list(left)
    return str(caught.value)


def test_attempt_cut_short_does_not_hide_the_reason_before(clock: Mock) -> None:
    assert "throttled" == _asked(clock, ("throttled", 1.0), ("no time was left to ask", 9.0))


def test_last_reason_in_time_counts(clock: Mock) -> None:
    assert "no leader" == _asked(clock, ("throttled", 1.0), ("no leader", 8.99))


def test_only_reason_counts_even_after_the_deadline(clock: Mock) -> None:
    assert "slow" == _asked(clock, ("slow", 10.0))
