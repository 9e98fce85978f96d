"""The built functions and the bucket behind the template's CloudFront."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.conformance.http_exchange import exchange
from tests.conformance.recordings import HERE, SUITES, Recording, assert_reproduced, recordings
from tests.stack.place import BEHIND_CLOUDFRONT

pytestmark = pytest.mark.real

DIFFERENCES = {
    "assets GET /assets/flatcar": 404,
    "assets GET /assets/site": 404,
    "assets GET /assets/site/index.html": 200,
    "assets GET /assets//flatcar/3227.2.0/kernel": 404,
    "assets GET /assets/..%2fsecret.txt": 404,
    "assets GET /assets/flatcar/3227.2.0/kernel {'Range': 'bytes=5000-'}": 416,
    "assets GET /assets/flatcar/3227.2.0/kernel/": 301,
}
"""The statuses of recordings that docs/deploy.md, "Behind CloudFront", excepts; so are all POST and missing assets."""


@pytest.fixture(scope="module")
def ports(new_place: Any) -> Iterator[dict[str, int]]:
    """A distribution for each suite of recordings, which gives configurations over http too, as matchbox does."""
    with ExitStack() as running:
        ports = {}
        for suite in SUITES:
            place = new_place(**BEHIND_CLOUDFRONT, PlainConfigurations="yes")
            place.stores.fill(HERE / suite / "data")
            ports[suite] = running.enter_context(place.cloudfront()).port
        yield ports


@pytest.mark.slow
@pytest.mark.parametrize("recording", recordings(), ids=lambda recording: recording.name)
def test_response_is_the_recorded_one(recording: Recording, ports: dict[str, int]) -> None:
    got = exchange(ports[recording.suite], recording)
    if recording.method == "POST":
        assert (403, "CloudFront") == (got.status, got.headers["server"])
    elif recording.target.startswith("/assets/") and recording.answer.status == 404:
        assert (404, "application/xml") == (got.status, got.headers["content-type"])
    elif recording.name in DIFFERENCES:
        assert DIFFERENCES[recording.name] == got.status
        assert recording.answer.headers.get("location") == got.headers.get("location") or got.status != 301
    else:
        assert_reproduced(recording, got, behind_balancer=False)
