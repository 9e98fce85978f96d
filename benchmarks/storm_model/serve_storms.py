"""Storms of `serve` beside those that the model of `matchboxctl plan` predicts for a machine of its speed.

`serve` has one processor, the machines the other. They start at random times, 5,000 a second, and boot from small
files. The model is given one measured number for each step: the time of a request, while 16 connections at a time make
it for one machine after the other. As the speed of a virtual machine changes from second to second, it is measured
before and after each storm. `serve` keeps no history, which it would write after the storm, while requests are
measured. Run by `make bench`.
"""

import json
import os
import resource
import statistics
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import inf
from pathlib import Path
from random import Random

from benchmarks.boot_machines import PROFILE, mac, write
from benchmarks.storm_model.machines import Machines
from benchmarks.storm_model.one_machine import OneMachine
from matchboxctl.plan.limits import Limits
from matchboxctl.plan.storm import Fleet, simulate
from tests.support.serving import started

SIZES, ROUNDS = (200, 1_000, 5_000), 7
STARTS_A_SECOND = 5_000
PERCENTILES = (50, 99)
STEPS = ("/boot.ipxe", "/ipxe", "/assets/vmlinuz", "/assets/initramfs.xz", "/generic")
NO_LIMITS = Limits(firmware=(0, 0), dhcp=(0, 0), machine_gbit=0)
_FEW, _REQUESTS, _TURNS = 16, 15, 3


def main() -> None:
    """Print a row for each size and percentile: medians of the rounds, and the least and greatest ratio."""
    _, descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
    found: dict[tuple[int, int], list[tuple[float, float]]] = {}
    with _serve() as port:
        _times(port, Random(1))
        for seed in range(ROUNDS):
            for size in SIZES:
                for percent, measured, predicted in _storm(port, size, seed):
                    found.setdefault((size, percent), []).append((measured, predicted))
    print("| machines | of all | measured, s | predicted, s | ratio | least | greatest |")
    print("|---|---|---|---|---|---|---|")
    for (size, percent), pairs in found.items():
        medians = " | ".join(f"{statistics.median(each):.2f}" for each in zip(*pairs, strict=True))
        ratios = sorted(model / real for real, model in pairs)
        shown = " | ".join(f"{ratio:.2f}" for ratio in (statistics.median(ratios), ratios[0], ratios[-1]))
        print(f"| {size:,} | {percent}% | {medians} | {shown} |")


def _storm(port: int, size: int, seed: int) -> Iterator[tuple[int, float, float]]:
    """Percentiles with their seconds, measured and predicted; infinite if so many did not boot."""
    fleet, random = Fleet(size, over=size / STARTS_A_SECOND), Random(seed)
    before = _times(port, random)
    requests = [[_request(step, number) for step in STEPS] for number in range(size)]
    real = Machines(port, requests, [*fleet.powered(Random(seed))])
    seconds = {step: statistics.mean((before[step], again)) for step, again in _times(port, random).items()}
    model = simulate(fleet, OneMachine(seconds), NO_LIMITS, Random(seed))
    for percent in PERCENTILES:
        rank = -(-size * percent // 100)
        measured, predicted = ((each + [inf] * size)[rank - 1] for each in (real.booted, model.booted))
        yield percent, measured, predicted


def _times(port: int, random: Random) -> Mapping[str, float]:
    """The seconds that a request of each step takes."""
    found: dict[str, list[float]] = {step: [] for step in STEPS}
    for _ in range(_TURNS):
        for step, taken in found.items():
            numbers = [[random.randrange(max(SIZES)) for _ in range(_REQUESTS)] for _ in range(_FEW)]
            requests = [[_request(step, number) for number in each] for each in numbers]
            taken.append(Machines(port, requests, [0.0] * _FEW).booted[-1] / (_FEW * _REQUESTS))
    return {step: statistics.median(taken) for step, taken in found.items()}


def _request(step: str, number: int) -> bytes:
    query = f"?mac={mac(number).replace(':', '-')}&arch=x86_64"
    target = step if step.startswith(("/boot", "/assets")) else step + query
    head = (f"GET {target} HTTP/1.1", "Connection: keep-alive", "User-Agent: iPXE/1.21.1", "Host: 127.0.0.1")
    return "\r\n".join([*head, "", ""]).encode()


@contextmanager
def _serve() -> Iterator[int]:
    """`serve` on the first processor, and this process on the others."""
    processors = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as directory:
        data = Path(directory) / "data"
        write(data, max(SIZES))
        profile = PROFILE._replace(generic_id="name").document()
        (data / "profiles" / f"{PROFILE.id}.json").write_text(json.dumps(profile))
        for name, content in (
            ("generic/name", "hostname: {{.mac}}\n"),
            ("assets/vmlinuz", "k" * 4096),
            ("assets/initramfs.xz", "i" * 16384),
        ):
            (data / name).parent.mkdir(exist_ok=True)
            (data / name).write_text(content)
        os.sched_setaffinity(0, processors[:1])
        flags = ("--address", "127.0.0.1:0", "--data-path", str(data), "--log-level", "error", "--history-days", "0")
        with started(*flags) as serve:
            os.sched_setaffinity(0, processors[1:] or processors)
            yield serve.port


if __name__ == "__main__":
    main()
