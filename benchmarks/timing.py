"""Timing of alternatives in turns, so that other load affects all alike."""

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

_UNCOUNTED = 100
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "AWS_ACCESS_KEY_ID": "fake",
    "AWS_SECRET_ACCESS_KEY": "fake",
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "MATCHBOX_TABLE": "matchbox",
    "MATCHBOX_BUCKET": "matchbox",
}
"""The environment of the handler."""


def cpu_seconds(ways: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """The median processor time of each of the ways."""
    samples: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + _UNCOUNTED):
        for name, way in ways.items():
            start = time.thread_time()
            way()
            # The first calls warm the caches.
            if number >= _UNCOUNTED:
                samples[name].append(time.thread_time() - start)
    return {name: statistics.median(taken) for name, taken in samples.items()}


def fresh_seconds(
    python: Path, codes: Mapping[str, str], rounds: int, environment: Mapping[str, str] = MappingProxyType({})
) -> dict[str, float]:
    """The median time that new interpreters take from their start to the end of each of the codes.

    They have ENVIRONMENT and `environment`, and say nothing. What Python does when it exits is left out.
    """
    samples: dict[str, list[float]] = {name: [] for name in codes}
    given = {**ENVIRONMENT, **environment}
    for _ in range(rounds + 1):
        for name, code in codes.items():
            start = time.perf_counter()
            subprocess.run(
                [python, "-c", f"{code}\nimport os; os._exit(0)"], check=True, env=given, stdout=subprocess.DEVNULL
            )
            samples[name].append(time.perf_counter() - start)
    # The first round warms the caches of bytecode and files.
    return {name: statistics.median(taken[1:]) for name, taken in samples.items()}


def print_table(title: str, unit: str, medians: Mapping[str, float], baseline: str) -> None:
    """The medians, in `ms` or `µs`, and their ratios to one of them."""
    scale = {"ms": 1e3, "µs": 1e6}[unit]
    print(f"{title:52} {f'p50 {unit}':>8} {'ratio':>6}")
    for name, middle in medians.items():
        print(f"{name:52} {middle * scale:>8.0f} {middle / medians[baseline]:>6.2f}")
