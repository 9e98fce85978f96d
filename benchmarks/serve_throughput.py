"""Requests a second of `matchboxctl serve` and of matchbox on the same data directory, in turns.

Both are warm, write their usual log to /dev/null, and share the cores with the client (wrk, 16 connections). Run by
`make bench`.
"""

import json
import statistics
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from benchmarks.servers import load, running
from tests.rigs.matchbox_server import matchbox

GROUPS = (10, 1_000)
SECONDS, ROUNDS = 2, 5
TARGETS = {
    "/ipxe": "/ipxe?mac=52-54-00-00-00-05&arch=x86_64",
    "/generic": "/generic?mac=52-54-00-00-00-05&arch=x86_64",
    "a small asset": "/assets/small",
}


def main() -> None:
    """Print a table for each number of groups."""
    for groups in GROUPS:
        with ExitStack() as kept:
            data = Path(kept.enter_context(tempfile.TemporaryDirectory()))
            _fill(data, groups)
            assets = str(data / "assets")
            ports = {
                "matchbox": kept.enter_context(
                    running([matchbox(), "-data-path", data, "-assets-path", assets], flag="-address")
                )[1],
                "serve": kept.enter_context(
                    running([sys.executable, "-m", "matchboxctl.main", "serve", "--data-path", data], flag="--address")
                )[1],
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
            taken = load(f"http://127.0.0.1:{port}{target}", SECONDS).rate
            # The first round warms both.
            if number:
                samples[name].append(taken)
    return {name: statistics.median(each) for name, each in samples.items()}


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
