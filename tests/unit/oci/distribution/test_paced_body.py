"""The minimum rate of a body."""

from types import SimpleNamespace
from typing import cast

import pytest
import urllib3

from lambda_matchbox.oci.distribution import paced_body
from lambda_matchbox.oci.distribution.paced_body import PacedBody
from lambda_matchbox.oci.distribution.retries import TransientError


class SlowResponse:
    """A response whose pieces of `size` bytes take `seconds` each, on a clock of its own."""

    connection = None
    length_remaining = None

    def __init__(self, size: int, seconds: float) -> None:
        self.headers: dict[str, str] = {}
        self.now = 0.0
        self._size = size
        self._seconds = seconds

    def read1(self, size: int, *, decode_content: bool) -> bytes:
        assert self._size <= size
        assert not decode_content
        self.now += self._seconds
        return bytes(self._size)


def body_of(response: SlowResponse, monkeypatch: pytest.MonkeyPatch) -> PacedBody:
    monkeypatch.setattr(paced_body, "time", SimpleNamespace(monotonic=lambda: response.now))
    return PacedBody(cast("urllib3.BaseHTTPResponse", response), 30.0, "blob", "host")


def test_body_below_the_minimum_rate_stalls(monkeypatch: pytest.MonkeyPatch) -> None:
    body = body_of(SlowResponse(10_239, 10.0), monkeypatch)
    for _ in range(2):
        assert 10_239 == len(body.read(65_536))
    with pytest.raises(TransientError, match=r"^blob: host stalls: 30717 bytes in 30 seconds$"):
        body.read(65_536)


def test_body_at_the_minimum_rate_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    body = body_of(SlowResponse(10_240, 10.0), monkeypatch)
    for _ in range(10):
        assert 10_240 == len(body.read(65_536))
