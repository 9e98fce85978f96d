"""The container image of the Containerfile, built by buildah over a base of the machine's."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.rigs.container_base import buildah, container_base, policy
from tests.rigs.debian_packages import Package, machine_architecture
from tests.support.paths import PROJECT

_PIP = "usr/lib/python3/dist-packages/pip"
_CERTIFICATES = "/etc/ssl/certs"


MAX_SIZE = 120_000_000
"""The most bytes that the image may add to its base."""


class Image(NamedTuple):
    """The files of an image and of its base, what is to be run in it as Docker has it, and its layers' digests."""

    root: Path
    base: Path
    config: dict[str, Any]
    layers: list[str]


@contextmanager
def container_image(architecture: str | None = None) -> Iterator[Image]:
    """Build the image for the machine, or for the architecture (`arm64`). Raises RigUnavailableError."""
    own = machine_architecture()
    wanted = architecture or own
    with tempfile.TemporaryDirectory(prefix="lambda-matchbox-image.") as directory:
        store = Path(directory)
        stores = [word for each in {own, wanted} for word in ("--storage-opt", _image_store(each))]
        unsigned = ("--signature-policy", policy(store))
        buildah(
            store,
            *stores,
            *("build", "--isolation", "chroot", "--format", "docker", "--pull-never", "--timestamp", "0", *unsigned),
            *("--build-arg", f"TARGETARCH={wanted}"),
            *("--build-arg", f"BASE=localhost/base-{wanted}", "--build-arg", f"BUILD_BASE=localhost/base-{own}"),
            *(word for volume in build_volumes() for word in ("--volume", volume)),
            *("--file", PROJECT / "Containerfile", "--tag", "matchbox", PROJECT),
        )
        described = json.loads(buildah(store, *stores, "inspect", "--type", "image", "localhost/matchbox"))
        root, base = _files(store), _files(container_base(wanted))
        yield Image(root, base, described["Docker"]["config"], described["Docker"]["rootfs"]["diff_ids"])


def build_volumes() -> list[str]:
    """What the base lacks to build: Debian's Python has no pip, and the machine's authorities may be its own."""
    pip = Package("trixie", machine_architecture(), "python3-pip", (_PIP,)).directory / _PIP
    return [f"{pip}:/{_PIP}:ro", f"{_CERTIFICATES}:{_CERTIFICATES}:ro"]


def size(root: Path) -> int:
    """The bytes of all files below."""
    return sum(path.lstat().st_size for path in root.rglob("*") if path.is_symlink() or path.is_file())


def _image_store(architecture: str) -> str:
    return f"vfs.imagestore={container_base(architecture) / 'root'}"


def _files(store: Path) -> Path:
    """The files of the store's only image with a name, which the driver vfs keeps as a directory."""
    images = json.loads((store / "root" / "vfs-images" / "images.json").read_text())
    [layer] = [image["layer"] for image in images if image.get("names")]
    return store / "root" / "vfs" / "dir" / str(layer)
