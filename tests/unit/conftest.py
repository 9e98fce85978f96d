"""A registry that can be made to fail, and who asks it."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from lambda_matchbox.oci.distribution.docker_config import no_logins
from lambda_matchbox.oci.distribution.registry import Registry
from tests.support.faulty_registry import FaultyRegistry
from tests.support.registry_serving import faulty_registry
from tests.unit.oci.distribution.fast_retries import FAST_RETRIES


@pytest.fixture
def faulty() -> Iterator[FaultyRegistry]:
    with faulty_registry() as faulty:
        yield faulty


@pytest.fixture
def registry(faulty: FaultyRegistry) -> Iterator[Registry]:
    with closing(Registry(no_logins, retry_policy=FAST_RETRIES)) as registry:
        yield registry
