"""Requests a second of `matchboxctl serve` and of matchbox on the same data directory, in turns.

Both are warm, write their usual log to /dev/null, and share the cores with the client (wrk, 16 connections). Run by
`make bench`.
"""

import json
import re
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from tests.rigs.install import on_path
from tests.rigs.matchbox_server import matchbox
from tests.rigs.program import free_port

GROUPS = (10, 1_000)
SECONDS, ROUNDS = 2, 5
TARGETS = {
    "/ipxe": "/ipxe?mac=52-54-00-00-00-05&arch=x86_64",
    "/generic": "/generic?mac=52-54-00-00-00-05&arch=x86_64",
    "a small asset": "/assets/small",
}
_READY = 60


def main() -> None:
    """Print a table for each number of groups."""
    for groups in GROUPS:
        with ExitStack() as kept:
            data = Path(kept.enter_context(tempfile.TemporaryDirectory()))
            _fill(data, groups)
            assets = str(data / "assets")
            ports = {
                "matchbox": kept.enter_context(
                    _running([matchbox(), "-data-path", data, "-assets-path", assets], flag="-address")
                ),
                "serve": kept.enter_context(
                    _running([sys.executable, "-m", "matchboxctl.main", "serve", "--data-path", data], flag="--address")
                ),
            }
            print(f"\n{groups} groups          matchbox      serve      ratio")
            for name, target in TARGETS.items():
                found = _measured(ports, target)
                theirs, ours = found["matchbox"], found["serve"]
                print(f"{name:16} {theirs:10.0f}/s {ours:8.0f}/s {ours / theirs:9.2f}")


def _measured(ports: Mapping[str, int], target: str) -> dict[str, float]:
    """The median of the rounds, in which each server has its turn."""
    samples: dict[str, list[float]] = {name: [] for name in ports}
    for number in range(ROUNDS + 1):
        for name, port in ports.items():
            taken = _requests_per_second(f"http://127.0.0.1:{port}{target}")
            # The first round warms both.
            if number:
                samples[name].append(taken)
    return {name: statistics.median(each) for name, each in samples.items()}


def _requests_per_second(address: str) -> float:
    wrk = [on_path("wrk", "wrk"), "--threads", "1", "--connections", "16", "--duration", f"{SECONDS}s", address]
    output = subprocess.run(wrk, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in output:
        raise SystemExit(f"{address}: {output}")
    found = re.search(r"Requests/sec:\s+([0-9.]+)", output)
    if found is None:
        raise SystemExit(f"wrk printed no rate: {output}")
    return float(found[1])


@contextmanager
def _running(command: Sequence[str | Path], flag: str) -> Iterator[int]:
    """Run a server on a free port, which is yielded."""
    port = free_port()
    with subprocess.Popen(
        [*command, flag, f"127.0.0.1:{port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            for _ in range(_READY * 10):
                with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/boot.ipxe", timeout=_READY):
                    break
                with suppress(subprocess.TimeoutExpired):
                    server.wait(0.1)
                    raise SystemExit(f"{command[0]} ended with {server.returncode}")
            yield port
        finally:
            server.terminate()


def _fill(data: Path, groups: int) -> None:
    for name in ("groups", "profiles", "generic", "assets"):
        (data / name).mkdir()
    for number in range(groups):
        mac = f"52:54:00:{number >> 16:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"
        group = {"id": f"g{number}", "profile": "worker", "selector": {"mac": mac}, "metadata": {"name": f"n{number}"}}
        (data / "groups" / f"g{number}.json").write_text(json.dumps(group))
    boot = {"kernel": "/assets/vmlinuz", "initrd": ["/assets/initramfs"], "args": ["console=ttyS0"]}
    profile = {"id": "worker", "boot": boot, "generic_id": "worker"}
    (data / "profiles" / "worker.json").write_text(json.dumps(profile))
    (data / "generic" / "worker").write_text("hostname: {{.name}}\nmac: {{.mac}}\nquery: {{.request.raw_query}}\n")
    (data / "assets" / "small").write_bytes(b"x" * 4096)


if __name__ == "__main__":
    main()
