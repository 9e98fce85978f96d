"""Storms of `serve` beside those that the model of `matchboxctl plan` predicts for a machine of its speed.

`serve` has one processor, the machines the other. They start at random times, 5,000 a second, and boot from small
files; of 20,000 many give up. The model is given one measured number for each step: the time of a request while 256
machines make it at a time, as it takes longer with many connections than with few. The speed of a virtual machine
changes from second to second, so this is measured before and after each storm. `serve` keeps no history, which it
would write after the storm, while requests are measured. Run by `make bench`.
"""

import json
import os
import resource
import statistics
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from random import Random

from benchmarks.boot_machines import PROFILE, mac, write
from benchmarks.storm_model.machines import Machines
from benchmarks.storm_model.one_machine import OneMachine
from matchboxctl.plan.limits import Limits
from matchboxctl.plan.storm import Fleet, simulate
from tests.support.serving import started

ROUNDS = {200: 7, 1_000: 7, 5_000: 7, 20_000: 3}
STARTS_A_SECOND = 5_000
PERCENTILES = (50, 99)
STEPS = ("/boot.ipxe", "/ipxe", "/assets/vmlinuz", "/assets/initramfs.xz", "/generic")
NO_LIMITS = Limits(firmware=(0, 0), dhcp=(0, 0), machine_gbit=0)
_AT_ONCE, _REQUESTS, _TURNS = 256, 2, 3


def main() -> None:
    """Print rows for each size: medians of the rounds, and the least and greatest ratio."""
    _, descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
    found: dict[tuple[int, str], list[tuple[float, float]]] = {}
    with _serve() as port:
        _times(port, Random(1))
        for seed in range(max(ROUNDS.values())):
            for size in (size for size, rounds in ROUNDS.items() if seed < rounds):
                for name, measured, predicted in _storm(port, size, seed):
                    found.setdefault((size, name), []).append((measured, predicted))
    print("| machines | what | measured | predicted | ratio | least | greatest |")
    print("|---|---|---|---|---|---|---|")
    for (size, name), pairs in found.items():
        medians = " | ".join(f"{statistics.median(each):,.2f}".removesuffix(".00") for each in zip(*pairs, strict=True))
        ratios = sorted(model / real for real, model in pairs)
        shown = " | ".join(f"{ratio:.2f}" for ratio in (statistics.median(ratios), ratios[0], ratios[-1]))
        print(f"| {size:,} | {name} | {medians} | {shown} |")


def _storm(port: int, size: int, seed: int) -> Iterator[tuple[str, float, float]]:
    """How many booted, and seconds until so many had, measured and predicted."""
    fleet, random = Fleet(size, over=size / STARTS_A_SECOND), Random(seed)
    before = _times(port, random)
    requests = [[_request(step, number) for step in STEPS] for number in range(size)]
    real = Machines(port, requests, [*fleet.powered(Random(seed))])
    seconds = {step: statistics.mean((before[step], again)) for step, again in _times(port, random).items()}
    model = simulate(fleet, OneMachine(seconds), NO_LIMITS, Random(seed))
    for percent in PERCENTILES:
        rank = -(-size * percent // 100)
        if rank <= min(len(real.booted), len(model.booted)):
            yield f"{percent}% booted after, s", real.booted[rank - 1], model.booted[rank - 1]
    yield "booted", len(real.booted), len(model.booted)


def _times(port: int, random: Random) -> Mapping[str, float]:
    """The seconds that a request of each step takes."""
    found: dict[str, list[float]] = {step: [] for step in STEPS}
    for _ in range(_TURNS):
        for step, taken in found.items():
            numbers = [[random.randrange(max(ROUNDS)) for _ in range(_REQUESTS)] for _ in range(_AT_ONCE)]
            requests = [[_request(step, number) for number in each] for each in numbers]
            taken.append(Machines(port, requests, [0.0] * _AT_ONCE).booted[-1] / (_AT_ONCE * _REQUESTS))
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
        write(data, max(ROUNDS))
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
