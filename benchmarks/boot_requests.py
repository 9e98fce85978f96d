"""What does a boot request cost as the groups grow? In directory mode, through the app, ratios to the fewest groups.

Run as `make bench`. A round asks every size once, so that whatever else the machine does falls on all of them alike.
"""

import json
import logging
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aws_lambda_powertools import Logger

from boot_api.alb import BODY_LIMIT
from boot_api.app import App
from boot_api.routes import Routes, Stores
from matchbox.assets import Delivery
from matchboxctl.asset_files import AssetDirectory
from matchboxctl.directory import DirectoryCatalog

SIZES = (10, 1_000, 10_000, 100_000)
ROUNDS = 2_000


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as scratch:
        apps = {size: _app(Path(scratch) / str(size), size) for size in SIZES}
        samples: dict[int, list[float]] = {size: [] for size in SIZES}
        for number in range(ROUNDS):
            for size in SIZES:
                samples[size].append(_ask(apps[size], number * 7919 % size))
        base = statistics.median(samples[SIZES[0]])
        print(f"{'groups':>8} {'p50 µs':>8} {'p99 µs':>8} {'ratio':>6}")
        for size in SIZES:
            middle = statistics.median(samples[size])
            tail = statistics.quantiles(samples[size], n=100)[98]
            print(f"{size:>8} {middle * 1e6:>8.0f} {tail * 1e6:>8.0f} {middle / base:>6.2f}")


def _app(directory: Path, size: int) -> App:
    (directory / "groups").mkdir(parents=True)
    (directory / "profiles").mkdir()
    boot = {"kernel": "/assets/vmlinuz", "initrd": ["/assets/initramfs.xz"], "args": ["console=ttyS0"]}
    (directory / "profiles" / "worker.json").write_text(json.dumps({"id": "worker", "boot": boot}))
    for number in range(size):
        group = {"id": f"node{number}", "profile": "worker", "selector": {"mac": _mac(number)}}
        (directory / "groups" / f"node{number}.json").write_text(json.dumps(group))
    with _duration(f"{size} groups read"):
        catalog = DirectoryCatalog(directory, report=print)
    assets = AssetDirectory(directory / "assets", b"secret", 3600)
    routes = Routes(Stores(catalog, assets), Delivery(direct_limit=BODY_LIMIT, assets_url="", boundary="boundary"))
    return App(routes, Logger(service="bench", level=logging.CRITICAL))


@contextmanager
def _duration(what: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    print(f"{what} in {time.perf_counter() - start:.1f} s")


def _mac(number: int) -> str:
    digits = f"{number:012x}"
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))


def _ask(app: App, number: int) -> float:
    event = {
        "httpMethod": "GET",
        "path": "/ipxe",
        "multiValueQueryStringParameters": {"mac": [_mac(number).replace(":", "-")], "arch": ["x86_64"]},
        "multiValueHeaders": {"host": ["matchbox.test"]},
    }
    start = time.perf_counter()
    answer = app.handle(event)
    seconds = time.perf_counter() - start
    if answer["statusCode"] != 200:
        raise SystemExit(f"answered {answer['statusCode']}")
    return seconds


if __name__ == "__main__":
    main()
