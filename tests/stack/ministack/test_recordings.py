"""matchbox's recorded responses through the deployed balancer, alias and role, over the deployed table and bucket."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.conformance.recordings import HERE, Recording, assert_reproduced, recordings
from tests.rigs.ministack import Ministack
from tests.stack.ministack.deployment import Deployed, deploy
from tests.stack.ministack.template import adapted

pytestmark = [pytest.mark.real, pytest.mark.nightly]


@pytest.fixture(scope="module")
def stack_of(ministack: Ministack, built: Path, parameters: dict[str, str], home: Path) -> Callable[[str], Deployed]:
    """The stack with the data of a suite of recordings, which were made without a key that signs."""
    without_key = {name: value for name, value in parameters.items() if not name.startswith("SigningKey")}

    @cache
    def made(suite: str) -> Deployed:
        stack = deploy(ministack, adapted(built), without_key, home, f"recorded-{suite}")
        stack.stores.load(HERE / suite / "data")
        return stack

    return made


@pytest.mark.parametrize("recording", recordings(), ids=lambda recording: recording.name)
def test_response_is_the_recorded_one(recording: Recording, stack_of: Callable[[str], Deployed]) -> None:
    assert_reproduced(recording, stack_of(recording.suite).exchange(recording), behind_balancer=True)
