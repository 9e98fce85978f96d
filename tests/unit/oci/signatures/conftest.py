import pytest

from lambda_matchbox.oci.distribution.registry import Registry
from tests.support.faulty_registry import FaultyRegistry
from tests.unit.oci.signatures.signed_image import INDEX, Subject


@pytest.fixture
def subject(faulty: FaultyRegistry, registry: Registry) -> Subject:
    made = Subject(faulty, registry)
    made.tag(INDEX)
    return made
