"""Servers under load: `serve` and matchbox as processes, with wrk as their client."""

import re
import subprocess
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from tests.rigs.install import on_path
from tests.rigs.program import free_port

_READY = 60


class Load(NamedTuple):
    """The number of requests that were answered, and how many in a second."""

    requests: int
    rate: float


@contextmanager
def running(command: Sequence[str | Path], flag: str) -> Iterator[tuple[int, int]]:
    """Run a server on a free port, whose address follows the flag; yields its process id and the port."""
    port = free_port()
    with subprocess.Popen(
        [*command, flag, f"127.0.0.1:{port}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            for _ in range(_READY * 10):
                with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/boot.ipxe", timeout=_READY):
                    break
                with suppress(subprocess.TimeoutExpired):
                    server.wait(0.1)
                    raise SystemExit(f"{command[0]} ended with {server.returncode}")
            yield server.pid, port
        finally:
            server.terminate()


def load(address: str, seconds: int) -> Load:
    """Request the address over 16 connections. Ends the run on an error."""
    wrk = [on_path("wrk", "wrk"), "--threads", "1", "--connections", "16", "--duration", f"{seconds}s", address]
    output = subprocess.run(wrk, capture_output=True, text=True, check=True).stdout
    requests = re.search(r"([0-9]+) requests in", output)
    rate = re.search(r"Requests/sec:\s+([0-9.]+)", output)
    if "Non-2xx" in output or requests is None or rate is None:
        raise SystemExit(f"{address}: {output}")
    return Load(int(requests[1]), float(rate[1]))


def processor_seconds(pid: int) -> float:
    """The processor time that a process and those that it has started have taken."""
    total = 0.0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        total += int((thread / "schedstat").read_text().split()[0]) / 1e9
        total += sum(processor_seconds(int(child)) for child in (thread / "children").read_text().split())
    return total
