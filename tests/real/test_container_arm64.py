"""The container image for ARM64, made on another processor without running anything of it."""

from collections.abc import Iterator

import pytest

from tests.rigs.container_image import MAX_SIZE, Image, container_image, size
from tests.rigs.debian_packages import machine_architecture

pytestmark = [
    pytest.mark.real,
    pytest.mark.nightly,
    pytest.mark.skipif(machine_architecture() == "arm64", reason="test_container.py tests the image on this processor"),
]

_AARCH64 = b"\xb7\x00"


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    with container_image("arm64") as built:
        yield built


def test_every_library_is_for_arm64(image: Image) -> None:
    libraries = [path for path in (image.root / "opt").rglob("*.so*") if path.is_file()]
    assert len(libraries) > 10
    assert {_AARCH64} == {path.read_bytes()[18:20] for path in libraries}
    assert 0 < size(image.root) - size(image.base) < MAX_SIZE
