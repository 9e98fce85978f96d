"""The rigs as fixtures, started once for a whole run; a pytest plugin."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TypeVar

import pytest

from tests.rigs.container_image import Image, container_image
from tests.rigs.dynamodb_local import dynamodb_local as dynamodb_local_rig
from tests.rigs.ministack import Ministack
from tests.rigs.ministack import ministack as ministack_rig
from tests.rigs.oci_registry import OciRegistry
from tests.rigs.oci_registry import oci_registry as oci_registry_rig
from tests.rigs.service import Service
from tests.rigs.swift_s3 import swift_s3 as swift_s3_rig
from tests.rigs.versitygw import versitygw as versitygw_rig

_Given = TypeVar("_Given")


@pytest.fixture(scope="session")
def dynamodb_local(request: pytest.FixtureRequest) -> Iterator[Service]:
    """DynamoDB Local; its tables are shared by all tests of the run."""
    with _started(dynamodb_local_rig, request) as service:
        yield service


@pytest.fixture(scope="session")
def versitygw(request: pytest.FixtureRequest) -> Iterator[Service]:
    """An S3 that verifies signatures and checksums; its buckets are shared by all tests of the run."""
    with _started(versitygw_rig, request) as service:
        yield service


@pytest.fixture(scope="session")
def swift_s3(request: pytest.FixtureRequest) -> Iterator[Service]:
    """An S3 that takes session tokens; its buckets are shared by all tests of the run."""
    with _started(swift_s3_rig, request) as service:
        yield service


@pytest.fixture(scope="session")
def matchbox_image(request: pytest.FixtureRequest) -> Iterator[Image]:
    """The container image of this project."""
    with _started(container_image, request) as image:
        yield image


@pytest.fixture(scope="session")
def moto_server(request: pytest.FixtureRequest) -> Iterator[Service]:
    """moto's DynamoDB and S3, shared by all tests of the run until one resets it."""
    # Its import takes longer than many tests.
    from tests.rigs.moto_server import moto_server as rig

    with _started(rig, request) as service:
        yield service


@pytest.fixture(scope="session")
def oci_registry(request: pytest.FixtureRequest) -> Iterator[OciRegistry]:
    """A registry with tokens and with blobs from other storage; its images are shared by all tests of the run."""
    with _started(oci_registry_rig, request) as registry:
        yield registry


@pytest.fixture(scope="session")
def ministack(request: pytest.FixtureRequest) -> Iterator[Ministack]:
    """An emulated AWS account, shared by all tests of the run."""
    with _started(ministack_rig, request) as service:
        yield service


@contextmanager
def _started(rig: Callable[[], AbstractContextManager[_Given]], request: pytest.FixtureRequest) -> Iterator[_Given]:
    """A rig whose installation is seen on the terminal: on a new machine it takes minutes."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with ExitStack() as running:
        with ExitStack() as seen:
            if capture is not None:
                seen.enter_context(capture.global_and_fixture_disabled())
            service = running.enter_context(rig())
        yield service
