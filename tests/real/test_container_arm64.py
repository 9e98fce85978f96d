"""The container image for ARM64, made on another processor without running anything of it."""

import platform
import subprocess
from collections.abc import Iterator

import pytest

from tests.rigs.container import Volume, container
from tests.rigs.container_image import MAX_SIZE, Image, container_image, size
from tests.rigs.python313_arm64 import qemu_aarch64
from tests.support.paths import EXAMPLES

pytestmark = [
    pytest.mark.real,
    pytest.mark.nightly,
    pytest.mark.skipif(platform.machine() == "aarch64", reason="test_container.py tests the image on this processor"),
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


def test_answers_in_emulation(image: Image) -> None:
    python = ["/mnt/qemu-aarch64-static", "/opt/lambda-matchbox/bin/python3", "-m", "matchboxctl.main"]
    emulated = image._replace(config={**image.config, "Entrypoint": python})
    volumes = [Volume(EXAMPLES / "talos"), Volume(qemu_aarch64().parent, "/mnt")]
    with container(emulated, "render", "ipxe", "--label", "arch=arm64", volumes=volumes) as made:
        response = subprocess.run(made.command, capture_output=True, text=True, timeout=600, check=False)
    assert 0 == response.returncode, response.stderr
    assert "kernel /assets/talos/arm64/vmlinuz" in response.stdout
