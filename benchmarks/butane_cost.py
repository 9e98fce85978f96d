"""What does a machine's Butane config cost: the CPU time of a warm translation, and what the first one loads?

The baseline of the translation is PyYAML's C parser making nodes of the same text, that of the first answer a fresh
interpreter that has imported the handler and rendered the template. Run as `make bench`.
"""

import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import yaml

from benchmarks.cold_start import fresh_seconds
from matchbox.butane import translate
from matchbox.butane.serving import served
from matchbox.templates import render
from tests.rigs.python313 import python313_environment

ROUNDS = 400
SAMPLES = 15
EXAMPLE = Path(__file__).parents[1] / "examples" / "flatcar" / "ignition" / "flatcar.yaml"
DATA: dict[str, object] = {
    "ssh_authorized_keys": ["ssh-ed25519 AAAA"],
    "ntp_servers": "a",
    "request": {"query": {"uuid": "u", "mac": "m"}},
}
HANDLER = "import os, boot_api.handler as h; h.app_of(os.environ)"
RENDERED = (
    f"{HANDLER}\nfrom matchbox.templates import render; text = render({EXAMPLE.read_bytes()!r}, {DATA!r}, name='a')"
)

TALOS = "\nfrom matchbox.yaml_documents import documents; documents(text)"
BUTANE = "\nfrom matchbox.butane.serving import served; served(text, print)"


def main() -> None:
    """Print both tables."""
    text = render(EXAMPLE.read_bytes(), DATA, name="a")
    large = text + b"".join(b"    - {name: n%d.service, enabled: true}\n" % number for number in range(300))
    _print_warm({f"{len(text):,} bytes": text, f"{len(large):,} bytes, 300 units": large})
    _print_cold()


def _print_warm(texts: dict[str, bytes]) -> None:
    print(f"{'CPU time of a warm translation':52} {'p50 µs':>8} {'ratio':>6}")
    for name, text in texts.items():
        ways: dict[str, Callable[[], object]] = {
            "PyYAML's nodes (baseline)": partial(yaml.compose, text, Loader=yaml.CSafeLoader),
            "translated": partial(translate, text),
            "... and written in matchbox's form": partial(served, text, lambda _: None),
        }
        samples: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(ROUNDS):
            for way, run in ways.items():
                start = time.thread_time()
                run()
                samples[way].append(time.thread_time() - start)
        medians = {way: statistics.median(taken) for way, taken in samples.items()}
        base = next(iter(medians.values()))
        for way, middle in medians.items():
            print(f"{f'{name}: {way}':52} {middle * 1e6:>8.0f} {middle / base:>6.2f}")


def _print_cold() -> None:
    python = python313_environment()
    candidates = {
        "the handler (baseline)": HANDLER,
        "... and a rendered template": RENDERED,
        "... read as a Talos configuration": RENDERED + TALOS,
        "... served as a Butane config": RENDERED + BUTANE,
    }
    samples: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(SAMPLES + 1):
        for name, code in candidates.items():
            samples[name].append(fresh_seconds(python, code))
    medians = {name: statistics.median(taken[1:]) for name, taken in samples.items()}
    base = next(iter(medians.values()))
    print(f"{'fresh interpreter to the end of':52} {'p50 ms':>8} {'ratio':>6}")
    for name, middle in medians.items():
        print(f"{name:52} {middle * 1000:>8.0f} {middle / base:>6.2f}")


if __name__ == "__main__":
    main()
