"""Images for a daemon of Docker that has no registry."""

import shlex
from pathlib import Path

from tests.rigs.cache import cached
from tests.rigs.container_image import Image
from tests.rigs.debian_packages import unpack
from tests.support.paths import PROJECT

_CONTAINERFILE = PROJECT / "deploy" / "compose" / "dnsmasq.Containerfile"


def _import(root: Path, name: str, *changes: str) -> str:
    """The command that makes an image of the files below `root`."""
    options = " ".join(f"--change {shlex.quote(change)}" for change in changes)
    return f"tar -C {root} -c . | docker import {options} - {name}\n"


def import_matchbox(image: Image, name: str) -> str:
    """The command that makes the image of this project, by that name."""
    words = ", ".join(f'"{word}"' for word in image.config["Entrypoint"])
    changes = [f"ENV {each}" for each in image.config["Env"]]
    user, directory = (image.config[key] for key in ("User", "WorkingDir"))
    return _import(image.root, name, *changes, f"ENTRYPOINT [{words}]", f"USER {user}", f"WORKDIR {directory}")


def import_dnsmasq(name: str) -> str:
    """The command that makes the image of deploy/compose: what its Containerfile installs, and what it starts.

    Raises RigUnavailableError.
    """
    [start] = [line for line in _CONTAINERFILE.read_text().splitlines() if "ENTRYPOINT" in line]
    return _import(dnsmasq_root(), name, start)


def dnsmasq_root() -> Path:
    """The files of that image. Raises RigUnavailableError."""
    return cached("debian-trixie-dnsmasq-and-ipxe", _install)


def _install(directory: Path) -> None:
    for package in ("dnsmasq-base", "ipxe"):
        unpack("trixie", package, directory)
    for name in ("lib", "lib64"):
        # Debian's package of base files makes these links.
        (directory / name).symlink_to(f"usr/{name}")
    (directory / "etc" / "passwd").write_text("root:x:0:0::/:\nnobody:x:65534:65534::/:\n")
    (directory / "etc" / "group").write_text("root:x:0:\nnogroup:x:65534:\n")
    (directory / "var" / "lib" / "misc").mkdir(parents=True, exist_ok=True)
