"""Every recorded response, over HTTP from `matchboxctl serve` in directory mode."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from lambda_matchbox.assets.file_server import Delivery
from lambda_matchbox.web.app import App
from lambda_matchbox.web.routes import Routes
from lambda_matchbox.web.json_log import JsonLog
from matchboxctl.serve.directory_stores import directory_stores
from tests.conformance.http_exchange import exchange
from tests.conformance.recordings import HERE, SUITES, Recording, assert_reproduced, recordings
from tests.support.http_serving import http_serving
from tests.support.serving import serving

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def ports() -> Iterator[dict[str, int]]:
    with ExitStack() as stack:
        yield {suite: stack.enter_context(serving(HERE / suite / "data")) for suite in SUITES}


@pytest.fixture(scope="module")
def streaming_port() -> Iterator[int]:
    """A server that sends each asset from its file, as `serve` does large ones."""
    data = HERE / "assets" / "data"
    stores = directory_stores(data, data / "assets", print).stores
    app = App(Routes(stores, Delivery(direct_limit=0, boundary="-")), JsonLog("error"))
    with http_serving(app) as port:
        yield port


@pytest.mark.parametrize("recording", recordings(), ids=lambda recording: recording.name)
def test_recorded_response_is_reproduced(recording: Recording, ports: dict[str, int]) -> None:
    """The target goes out byte for byte; status, headers and body are matchbox's."""
    assert_reproduced(recording, exchange(ports[recording.suite], recording), behind_balancer=False)


@pytest.mark.parametrize(
    "recording", [each for each in recordings() if each.suite == "assets"], ids=lambda recording: recording.name
)
def test_streamed_asset_is_reproduced(recording: Recording, streaming_port: int) -> None:
    """Nothing is redirected elsewhere; a HEAD has the file's own type and length."""
    assert_reproduced(recording, exchange(streaming_port, recording), behind_balancer=False)
