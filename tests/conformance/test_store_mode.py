"""Every recorded response, over HTTP from `matchboxctl serve` over DynamoDB Local and versitygw."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.conformance.http_exchange import exchange
from tests.conformance.recordings import HERE, SUITES, Recording, assert_reproduced, recordings
from tests.rigs.service import Service
from tests.rigs.stores import new_stores
from tests.support.serving import started

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def ports(dynamodb_local: Service, versitygw: Service) -> Iterator[dict[str, int]]:
    with ExitStack() as running:
        ports = {}
        for suite in SUITES:
            stores = new_stores(dynamodb_local, versitygw)
            stores.fill(HERE / suite / "data")
            serve = running.enter_context(started("--address", "127.0.0.1:0", environment=stores.environment()))
            ports[suite] = serve.port
        yield ports


@pytest.mark.parametrize("recording", recordings(), ids=lambda recording: recording.name)
def test_recorded_response_is_reproduced(recording: Recording, ports: dict[str, int]) -> None:
    """The target goes out byte for byte; status, headers and body are matchbox's."""
    assert_reproduced(recording, exchange(ports[recording.suite], recording), behind_balancer=False)
