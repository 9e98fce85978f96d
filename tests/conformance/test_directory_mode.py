"""Every recorded answer, over HTTP from `matchboxctl serve` in directory mode."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.conformance.http_exchange import exchange
from tests.conformance.recordings import HERE, SUITES, Recording, assert_reproduced, recordings
from tests.support.serving import serving

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def ports() -> Iterator[dict[str, int]]:
    with ExitStack() as stack:
        yield {suite: stack.enter_context(serving(HERE / suite / "data")) for suite in SUITES}


@pytest.mark.parametrize("recording", recordings(), ids=lambda recording: recording.name)
def test_a_recorded_answer_is_reproduced(recording: Recording, ports: dict[str, int]) -> None:
    """The target goes out byte for byte; status, headers and body are matchbox's."""
    assert_reproduced(recording, exchange(ports[recording.suite], recording), behind_balancer=False)
