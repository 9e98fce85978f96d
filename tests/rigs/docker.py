"""Docker itself: Debian's daemon, client and Compose, for scripts in namespaces of their own."""

import json
import os
from pathlib import Path

from tests.rigs.debian_packages import Package, machine_architecture
from tests.rigs.install import on_path

_PROGRAMS = {
    "docker.io": ("usr/sbin", "dockerd", "docker-proxy"),
    "docker-cli": ("usr/bin", "docker"),
    "containerd": ("usr/bin", "containerd", "containerd-shim-runc-v2"),
    "docker-compose": ("usr/libexec/docker/cli-plugins", "docker-compose"),
}
"""What is needed of packages, behind the directory where it is."""

BEGIN = """\
mount -t tmpfs tmpfs /run
dockerd --config-file "$DOCKER_CONFIG/daemon.json" --data-root "$DOCKER_CONFIG/data" --exec-root /run/docker \\
    --pidfile /run/docker.pid --host "$DOCKER_HOST" > "$DOCKER_CONFIG/log" 2>&1 &
until docker version > /dev/null 2>&1; do
    kill -0 $! || { cat "$DOCKER_CONFIG/log" >&2; exit 1; }
    sleep 0.1
done
"""
"""Starts the daemon, in a network, a process and a mount namespace, with which it ends."""


def docker_environment(directory: Path, *insecure_registries: str) -> dict[str, str]:
    """The environment of BEGIN and of `docker`, whose files are in `directory`, an empty one.

    Raises RigUnavailableError.
    """
    places = {name: _place(name) for name in _PROGRAMS}
    path = [*map(str, places.values()), str(Path(on_path("runc", "runc")).parent), os.environ["PATH"]]
    # Nothing but the daemon's own programs carries to and from its networks.
    daemon = {
        "storage-driver": "vfs",
        "iptables": False,
        "ip6tables": False,
        "insecure-registries": insecure_registries,
    }
    (directory / "daemon.json").write_text(json.dumps(daemon))
    (directory / "config.json").write_text(json.dumps({"cliPluginsExtraDirs": [str(places["docker-compose"])]}))
    return {"PATH": ":".join(path), "DOCKER_CONFIG": str(directory), "DOCKER_HOST": "unix:///run/docker.sock"}


def _place(name: str) -> Path:
    place, *programs = _PROGRAMS[name]
    kept = tuple(f"{place}/{program}" for program in programs)
    return Package("trixie", machine_architecture(), name, kept).directory / place
