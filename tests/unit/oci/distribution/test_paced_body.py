"""The minimum rate of a body."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest

from lambda_matchbox.oci.distribution import paced_body
from lambda_matchbox.oci.distribution.paced_body import PacedBody
from lambda_matchbox.oci.distribution.retries import TransientError


class SlowAnswer:
    """An answer whose pieces of `size` bytes take `seconds` each, on a clock of its own."""

    left = None

    def __init__(self, size: int, seconds: float) -> None:
        self.now = 0.0
        self._size = size
        self._seconds = seconds

    def piece(self, size: int, timeout: Callable[[], float]) -> bytes:
        assert self._size <= size
        assert 30.0 == timeout()
        self.now += self._seconds
        return bytes(self._size)


def body_of(answer: SlowAnswer, monkeypatch: pytest.MonkeyPatch) -> PacedBody:
    monkeypatch.setattr(paced_body, "time", SimpleNamespace(monotonic=lambda: answer.now))
    return PacedBody(answer, lambda: None, 30.0, "blob", "host")


def test_body_below_the_minimum_rate_stalls(monkeypatch: pytest.MonkeyPatch) -> None:
    body = body_of(SlowAnswer(10_239, 10.0), monkeypatch)
    for _ in range(2):
        assert 10_239 == len(body.read(65_536))
    with pytest.raises(TransientError, match=r"^blob: host stalls: 30717 bytes in 30 seconds$"):
        body.read(65_536)


def test_body_at_the_minimum_rate_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    body = body_of(SlowAnswer(10_240, 10.0), monkeypatch)
    for _ in range(10):
        assert 10_240 == len(body.read(65_536))
