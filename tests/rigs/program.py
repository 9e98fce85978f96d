"""A server program that is started for a test."""

import contextlib
import os
import re
import secrets
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from tests.rigs.failure import RigFailedError

START_TIMEOUT = 60.0
"""Seconds a program may take to start serving; a loaded machine needs many times the usual two."""

GRACE = 10.0
"""Seconds a program has to end by itself before it is killed."""

_PROCESSES = 24
"""How many processes may share the tests."""

_Found = TypeVar("_Found")


class Program:
    """A running program whose output goes to a log file."""

    def __init__(self, arguments: Sequence[str | Path], environment: Mapping[str, str], log: Path) -> None:
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                arguments, env=environment, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def wait_for(self, condition: Callable[[], _Found | None], what: str) -> _Found:
        """Call `condition` until it has a value; raises RigFailedError when the program or START_TIMEOUT ends first."""
        deadline = time.monotonic() + START_TIMEOUT
        while (status := self._process.poll()) is None and time.monotonic() < deadline:
            found = condition()
            if found is not None:
                return found
            time.sleep(0.02)
        why = "stayed silent" if status is None else f"ended with {status}"
        tail = self._log.read_text(errors="replace").splitlines()[-30:]
        raise RigFailedError("\n".join([f"waiting for {what}, but {self._process.args!r} {why}:", *tail]))

    def printed_port(self) -> int:
        """The number n of the line `PORT n` that the program prints once it serves."""

        def port() -> int | None:
            found = re.search(r"^PORT (\d+)$", self._log.read_text(errors="replace"), re.MULTILINE)
            return int(found[1]) if found else None

        return self.wait_for(port, "its port")

    def end(self) -> None:
        """End it: the end of its standard input and SIGTERM, then SIGKILL."""
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        self._process.terminate()
        try:
            self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextmanager
def running(arguments: Sequence[str | Path], directory: Path, environment: Mapping[str, str]) -> Iterator[Program]:
    """Run a program with `directory` as its home and only `environment` and PATH besides; ended on leaving."""
    given = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": str(directory), "TMPDIR": str(directory)}
    program = Program(arguments, {**given, **environment}, directory / "log")
    try:
        yield program
    finally:
        program.end()


@contextmanager
def scratch_directory() -> Iterator[Path]:
    """A temporary directory, removed on leaving."""
    # A program that is being ended may still write while its directory is removed.
    with tempfile.TemporaryDirectory(prefix="lambda-matchbox-rig.", ignore_cleanup_errors=True) as directory:
        yield Path(directory)


def free_port() -> int:
    """A free port of 127.0.0.1, for programs that cannot choose one themselves.

    It lies below those that the system gives to clients, one of which could have it before the program does. Each of
    the processes that share the tests draws from ports of its own.
    """
    process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _PROCESSES
    share = 12_000 // _PROCESSES
    while True:
        port = 20_000 + process * share + secrets.randbelow(share)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
