"""A system of its own whose first process is systemd, over a copy of this machine's files that is thrown away."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.rigs.failure import RigUnavailableError
from tests.rigs.install import on_path, run
from tests.rigs.program import Program, running


@contextmanager
def copy_of_this_system(scratch: Path) -> Iterator[Path]:
    """The root of the copy, in memory: what is written there reaches no file of this machine.

    Raises RigUnavailableError for users other than root.
    """
    if os.geteuid() != 0:
        raise RigUnavailableError("only root can mount a copy of this system: run the tests as root")
    run(["mount", "-t", "tmpfs", "tmpfs", scratch])
    try:
        root, upper, work = (scratch / name for name in ("root", "upper", "work"))
        for directory in (root, upper, work):
            directory.mkdir()
        run(["mount", "-t", "overlay", "overlay", "-o", f"lowerdir=/,upperdir={upper},workdir={work}", root])
        try:
            yield root
        finally:
            run(["umount", root])
    finally:
        run(["umount", "--lazy", scratch])


@contextmanager
def booted(root: Path, unit: str, scratch: Path) -> Iterator[Program]:
    """Boot systemd in `root` until it has started `unit` and what that needs; its network is this machine's.

    The journal is in `scratch / "log"`. On leaving, systemd stops the unit and ends.
    """
    command = [
        *(on_path("systemd-nspawn", "systemd-container"), "--quiet", "--register=no", "--keep-unit"),
        *(f"--machine=matchbox-{os.getpid()}", "--directory", root, "--boot"),
        *(f"systemd.unit={unit}", "systemd.journald.forward_to_console=1"),
    ]
    with running(command, scratch, {}) as program:
        yield program


def processes_of(program: Program, argument: str) -> list[int]:
    """The ids of the system's processes that were started with `argument`, the oldest first."""
    found = subprocess.run(
        ["pgrep", "--full", "--parent", str(init_of(program)), argument], capture_output=True, text=True, check=False
    )
    return sorted(int(word) for word in found.stdout.split())


def init_of(program: Program) -> int:
    """The id of systemd, as this machine sees it."""
    return int(run(["pgrep", "--parent", str(program.pid)]).split()[0])
