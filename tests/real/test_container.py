"""The container image, in place of matchbox's."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.http_exchange import exchange
from tests.conformance.recordings import HERE, assert_reproduced, recordings
from tests.rigs.container import Volume, container
from tests.rigs.container_image import Image, container_image
from tests.rigs.program import running
from tests.support.serving import started

pytestmark = pytest.mark.real

MAX_SIZE = 120_000_000

# Of the seed of this project: a service of Docker Compose that runs matchbox.
ENVIRONMENT = {
    "MATCHBOX_ADDRESS": "0.0.0.0:8080",
    "MATCHBOX_RPC_ADDRESS": "0.0.0.0:8081",
    "MATCHBOX_LOG_LEVEL": "debug",
}


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    with container_image() as built:
        yield built


def test_recorded_requests(image: Image) -> None:
    """From a volume that is read-only."""
    with (
        container(image, "-address=127.0.0.1:0", volumes=[Volume(HERE / "seed" / "data")]) as made,
        started(command=made.command) as serve,
    ):
        for recording in recordings():
            if recording.suite == "seed":
                assert_reproduced(recording, exchange(serve.port, recording), behind_balancer=False)
        serve.end()


def test_compose_service_of_matchbox_with_another_image(image: Image, tmp_path: Path) -> None:
    volumes = [Volume(HERE / "seed" / "data", writable=True)]
    with (
        container(image, volumes=volumes, environment=ENVIRONMENT, own_network=True) as made,
        running(made.command, tmp_path, {}) as program,
    ):
        log = tmp_path / "log"
        program.wait_for(lambda: "listening on 0.0.0.0:8080\n" in log.read_text() or None, "its address")
        checked = made.execute(*image.config["Healthcheck"]["Test"][1:])
        assert (0, "127.0.0.1:8080 answers with 200\n") == (checked.returncode, checked.stdout), checked.stderr
        lines = log.read_text().splitlines()
    [error] = [json.loads(line) for line in lines if '"ERROR"' in line]
    assert error["message"].startswith("gRPC is off: ")
    assert "`matchboxctl certs /etc/matchbox --name HOST`" in error["message"]
