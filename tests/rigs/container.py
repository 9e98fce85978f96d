"""A container of an image, run by runc as Docker runs it: as the image's user, with its root read-only."""

import json
import subprocess
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.rigs.container_image import Image
from tests.rigs.install import on_path
from tests.rigs.program import scratch_directory

DATA = "/var/lib/matchbox"
_NAMESPACES = ("pid", "mount", "ipc", "uts")


class Volume(NamedTuple):
    """A directory of the machine's at a place in the container."""

    directory: Path
    place: str = DATA
    writable: bool = False


class Container(NamedTuple):
    """A container that `command` runs until its first process ends."""

    command: Sequence[str | Path]
    name: str
    runc: Sequence[str | Path]

    def execute(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run another program in it, as its user."""
        return subprocess.run(
            [*self.runc, "exec", self.name, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def kill(self) -> None:
        """Kill its processes, and forget it."""
        subprocess.run([*self.runc, "delete", "--force", self.name], capture_output=True, check=False)


@contextmanager
def container(
    image: Image,
    *flags: str,
    volumes: Sequence[Volume] = (),
    user: int | None = None,
    environment: Mapping[str, str] | None = None,
    own_network: bool = False,
) -> Iterator[Container]:
    """A container with these flags after the image's entry point; it shares the machine's network, or has only an
    interface to itself. It is killed on leaving. Raises RigUnavailableError.
    """
    config = image.config
    owner, group = (int(number) for number in config["User"].split(":"))
    process = {
        "user": {"uid": user or owner, "gid": user or group},
        "args": [*config["Entrypoint"], *flags],
        "env": [*config["Env"], *(f"{name}={value}" for name, value in (environment or {}).items())],
        "cwd": config["WorkingDir"],
        "noNewPrivileges": True,
        "capabilities": {},
    }
    mounts = [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
        {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["nosuid", "nodev", "mode=1777"]},
        *(
            {
                "destination": volume.place,
                "type": "bind",
                "source": str(volume.directory),
                "options": ["bind", "rw" if volume.writable else "ro"],
            }
            for volume in volumes
        ),
    ]
    namespaces = [{"type": kind} for kind in (*_NAMESPACES, *(["network"] if own_network else []))]
    with scratch_directory() as bundle:
        described = {
            "ociVersion": "1.0.2",
            "process": process,
            "root": {"path": str(image.root), "readonly": True},
            "mounts": mounts,
            "linux": {"namespaces": namespaces},
        }
        (bundle / "config.json").write_text(json.dumps(described))
        name = f"lambda-matchbox-{uuid.uuid4()}"
        runc = [on_path("runc", "runc"), "--root", bundle / "state"]
        made = Container([*runc, "run", "--bundle", bundle, name], name, runc)
        try:
            yield made
        finally:
            made.kill()
