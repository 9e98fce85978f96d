"""Bases of container images, made of Debian's packages: stores of buildah with `localhost/base-ARCHITECTURE`.

That of another processor is unpacked, and nothing in it is run.
"""

import json
import tempfile
from pathlib import Path

from tests.rigs.cache import cached
from tests.rigs.debian_packages import KEYRING, machine_architecture, mirror, unpack
from tests.rigs.install import on_path, run
from tests.rigs.python313 import python313

_RELEASE = "trixie"
_PACKAGES = ("ca-certificates", "libstdc++6", "python3")
_LEFT_OUT = [f"--dpkgopt=path-exclude=/usr/share/{directory}/*" for directory in ("doc", "man", "locale")]


def container_base(architecture: str) -> Path:
    """The store with the base. Raises RigUnavailableError."""
    name = f"container-base-{_RELEASE}-{architecture}-{'-'.join(_PACKAGES)}"
    return cached(name, lambda directory: _fill(directory, architecture))


def buildah(store: Path, *arguments: str | Path) -> str:
    """Run buildah on a store in a directory of its own, without a registry; its standard output."""
    flags = ("--storage-driver", "vfs", "--root", store / "root", "--runroot", store / "run")
    return run([on_path("buildah", "buildah"), *flags, *arguments])


def policy(store: Path) -> Path:
    """A file by which buildah takes images that nobody signed, such as those of a store."""
    file = store / "policy.json"
    file.write_text(json.dumps({"default": [{"type": "insecureAcceptAnything"}]}))
    return file


def _fill(store: Path, architecture: str) -> None:
    with tempfile.TemporaryDirectory(prefix="lambda-matchbox-base.") as scratch:
        contents = Path(scratch, "base.tar")
        if architecture == machine_architecture():
            source = f"deb [signed-by={KEYRING}] {mirror(on_path('apt-get', 'apt'))} {_RELEASE} main"
            options = ["--variant=essential", f"--include={','.join(_PACKAGES)}", *_LEFT_OUT]
            run([on_path("mmdebstrap", "mmdebstrap"), *options, _RELEASE, contents, source])
        else:
            for package in _PACKAGES:
                unpack(_RELEASE, package, Path(scratch, "tree"), architecture)
            for name in ("lib", "bin"):
                # Debian's package of base files makes these links.
                Path(scratch, "tree", name).symlink_to(f"usr/{name}")
            # Debian's own scripts would compile these, which takes minutes in emulation.
            compiled = ("-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "-s", f"{scratch}/tree")
            run([python313(), *compiled, *Path(scratch, "tree", "usr", "lib").glob("python3.*")])
            run([on_path("tar", "tar"), "-cf", contents, "-C", f"{scratch}/tree", "."])
        container = buildah(store, "from", "scratch").strip()
        buildah(store, "add", container, contents, "/")
        buildah(store, "config", "--arch", architecture, container)
        unsigned = ("--signature-policy", policy(store))
        buildah(store, "commit", "--rm", "--format", "docker", *unsigned, container, f"base-{architecture}")
