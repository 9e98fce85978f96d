"""matchbox's recorded responses through the deployed front door, alias and role, over the deployed table and bucket."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.conformance.recordings import HERE, Recording, assert_reproduced, recordings
from tests.rigs.ministack import Ministack
from tests.stack.ministack.behind_cloudfront import let_everybody_ask_the_functions, serve_assets_from
from tests.stack.ministack.deployment import Deployed, deploy
from tests.stack.ministack.template import adapted
from tests.stack.place import BEHIND_CLOUDFRONT
from tests.stack.test_cloudfront import DIFFERENCES

pytestmark = [pytest.mark.real, pytest.mark.nightly]

WITH_DOTS = {
    f"assets GET /assets/{path}" for path in ("../secret.txt", "%2e%2e/secret.txt", "flatcar/../../secret.txt")
}
WITH_FRAGMENT = "selection GET /ipxe?arch=arm64#frag"
"""What the emulator does differently from the local CloudFront (see `behind_cloudfront`)."""


@pytest.fixture(scope="module")
def stack_of(
    ministack: Ministack, built: Path, parameters: dict[str, str], home: Path
) -> Callable[[str, str], Deployed]:
    """The stack with a door and the data of a suite of recordings, which were made without a key that signs."""
    without_key = {name: value for name, value in parameters.items() if not name.startswith("SigningKey")}
    doors = {"alb": without_key, "cloudfront": {**without_key, **BEHIND_CLOUDFRONT, "PlainConfigurations": "yes"}}

    @cache
    def made(door: str, suite: str) -> Deployed:
        stack = deploy(ministack, adapted(built), doors[door], home, f"recorded-{door}-{suite}")
        stack.stores.load(HERE / suite / "data")
        if door == "cloudfront":
            let_everybody_ask_the_functions(stack)
            serve_assets_from(stack, "own")
        return stack

    return made


@pytest.mark.parametrize("recording", recordings(), ids=lambda recording: recording.name)
def test_response_of_the_balancer_is_the_recorded_one(
    recording: Recording, stack_of: Callable[[str, str], Deployed]
) -> None:
    assert_reproduced(recording, stack_of("alb", recording.suite).exchange(recording), behind_balancer=True)


@pytest.mark.parametrize("recording", recordings(), ids=lambda recording: recording.name)
def test_response_of_cloudfront_is_the_recorded_one(
    recording: Recording, stack_of: Callable[[str, str], Deployed]
) -> None:
    got = stack_of("cloudfront", recording.suite).exchange(recording)
    missing = recording.target.startswith("/assets/") and recording.response.status == 404
    if recording.method == "POST":
        assert (403, "CloudFront") == (got.status, got.headers["server"])
    elif missing or recording.name in WITH_DOTS or DIFFERENCES.get(recording.name) == 404:
        assert (403, "application/xml") == (got.status, got.headers["content-type"])
    elif recording.name in DIFFERENCES:
        assert DIFFERENCES[recording.name] == got.status
    elif recording.name == WITH_FRAGMENT:
        assert b"#!ipxe\nkernel /k/default group=default\nboot\n" == got.body
    else:
        # Its function URL, too, does not keep the order of repeated keys.
        assert_reproduced(recording, got, behind_balancer=True)
