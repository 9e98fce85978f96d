"""The bastion of the design note, where its commands are run as printed."""

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from tests.boot.segment import LOOPBACK, carried
from tests.rigs.install import on_path
from tests.rigs.program import scratch_directory

DOCUMENT = Path(__file__).parent / "document"
"""The files that the note prints, with the indentation that they need."""

MATCHBOX = DOCUMENT / "matchbox"
"""Its data directory, `/opt/matchbox`."""

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root makes a network and mounts directories")
GHCR = """\
echo 10.20.13.140 ghcr.io > "$BASTION/hosts"
mount --bind "$BASTION/hosts" /etc/hosts
"""
"""Commands after which the bastion itself is ghcr.io."""

LIMIT = 300
"""Seconds after which a script is given up."""


def on_bastion(
    script: str,
    data: Path,
    *arguments: str | Path,
    ports: Mapping[int, int] = MappingProxyType({}),
    environment: Mapping[str, str] = MappingProxyType({}),
) -> "subprocess.CompletedProcess[str]":
    """Run a script of bash where `/opt/matchbox` is `data`, and the bastion's ports lead to those of 127.0.0.1.

    It is run in the directory of the note's files, on a network that has nothing else. What it leaves running is ended.
    """
    for program in ("curl", "jq"):
        # The note's commands need them.
        on_path(program, program)
    ours, theirs = socket.socketpair()
    with ours, scratch_directory() as own:
        command = [
            *(on_path("unshare", "util-linux"), "--net", "--mount", "--pid", "--mount-proc", "--fork", "--kill-child"),
            # Without -P modules of this directory would hide the standard library's.
            *(sys.executable, "-P", Path(__file__).with_name("bastion_namespace.py")),
            *(str(theirs.fileno()), on_path("ip", "iproute2"), own, data, ",".join(map(str, ports))),
            *("bash", "-c", script, "bash", *arguments),
        ]
        process = subprocess.Popen(
            command,
            cwd=DOCUMENT,
            env={**os.environ, "BASTION": str(own), **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            pass_fds=[theirs.fileno()],
        )
        with process:
            theirs.close()
            try:
                ours.settimeout(LIMIT)
                _, listeners, _, _ = socket.recv_fds(ours, 16, 1 + len(ports))
                with carried(listeners, [(LOOPBACK, port) for port in ports.values()]):
                    out, errors = process.communicate(timeout=LIMIT)
            finally:
                process.kill()
    return subprocess.CompletedProcess(command, process.returncode, out, errors)
