"""What a caller is told of a store that was asked in vain."""

import time
from itertools import chain, repeat

import pytest

from matchbox.errors import StoreUnavailableError
from matchboxctl.documents.patience import Patience


def test_what_was_answered_is_told() -> None:
    """An attempt that the deadline cuts short does not hide what the store said before."""
    attempts = 0

    def attempt() -> None:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            raise StoreUnavailableError("throttled")
        time.sleep(2)
        raise StoreUnavailableError("no time was left to ask")

    with pytest.raises(StoreUnavailableError, match="throttled"):
        Patience(2.0)(attempt)
    assert 2 == attempts


def test_the_last_answer_is_told() -> None:
    """Of answers that came in time the last one counts, and the only one where it came too late."""
    reasons = chain(["throttled"], repeat("no leader"))

    def attempt() -> None:
        raise StoreUnavailableError(next(reasons))

    with pytest.raises(StoreUnavailableError, match="no leader"):
        Patience(1.5)(attempt)
    with pytest.raises(StoreUnavailableError, match="slow"):
        Patience(0.1)(lambda: _late("slow"))


def _late(reason: str) -> None:
    time.sleep(0.2)
    raise StoreUnavailableError(reason)
