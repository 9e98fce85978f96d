"""Debian's docker-registry and skopeo, unpacked into the cache without root; else those on PATH."""

import sys
from pathlib import Path

from tests.rigs.cache import cached
from tests.rigs.debian_packages import Package, unpack
from tests.rigs.failure import RigUnavailableError
from tests.rigs.install import on_path, run

_REGISTRY = "usr/bin/docker-registry"

# skopeo's libraries, C's included, are those it was built with: it is started by their loader, and only it sees them.
_WRAPPER = """#!/bin/sh
directory=$(dirname "$(readlink -f "$0")")
libraries=$(echo "$directory"/../lib/*-linux-gnu)
exec "$libraries"/ld-linux-*.so.* --library-path "$libraries" "$directory/skopeo.unwrapped" "$@"
"""


def docker_registry() -> str:
    """The path of docker-registry, which needs nothing but a C library.

    Raises RigUnavailableError when the machine lacks it and Debian's cannot be had.
    """
    try:
        architecture = run([on_path("dpkg", "dpkg"), "--print-architecture"]).strip()
        return str(Package("bookworm", architecture, "docker-registry", (_REGISTRY,)).directory / _REGISTRY)
    except RigUnavailableError as error:
        print(f"rigs: docker-registry cannot be unpacked: {error}", file=sys.stderr)
        return on_path("docker-registry", "docker-registry")


def skopeo() -> str:
    """The path of skopeo; it wants `--insecure-policy`, as its package's /etc is not installed.

    Raises RigUnavailableError when the machine lacks it and Debian's cannot be had.
    """
    try:
        return str(cached("debian-trixie-skopeo", _install_skopeo) / "usr" / "bin" / "skopeo")
    except RigUnavailableError as error:
        print(f"rigs: skopeo cannot be unpacked: {error}", file=sys.stderr)
        return on_path("skopeo", "skopeo")


def _install_skopeo(directory: Path) -> None:
    unpack("trixie", "skopeo", directory)
    program = directory / "usr" / "bin" / "skopeo"
    program.rename(program.with_name("skopeo.unwrapped"))
    program.write_text(_WRAPPER)
    program.chmod(0o755)
    run([program, "--version"])
