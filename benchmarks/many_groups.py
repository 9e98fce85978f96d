"""The cost of a boot request by the number of groups, in directory mode and on DynamoDB Local.

Ratios are to the fewest groups. A round makes one request for each size, so that other load affects all alike. Run by
`make bench`.
"""

import logging
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from aws_lambda_powertools import Logger

from benchmarks.boot_machines import ask, write
from benchmarks.table_app import fill, table_app
from lambda_matchbox.assets.file_server import Delivery
from lambda_matchbox.aws.clients.http_client import HttpClient
from lambda_matchbox.aws.clients.http_connection import HttpResponse
from lambda_matchbox.web.alb import BODY_LIMIT
from lambda_matchbox.web.app import App
from lambda_matchbox.web.routes import Routes
from matchboxctl.serve.directory_stores import directory_stores
from tests.rigs.dynamodb_local import dynamodb_local

SIZES = (10, 1_000, 10_000, 100_000)
LISTED = 10
"""MAC addresses in each group, where groups have lists."""

ROUNDS = 2_000


class Counting(HttpClient):
    """Counts the requests."""

    def __init__(self) -> None:
        super().__init__(read_timeout=60)
        self.calls = 0

    def request(self, *call: Any) -> HttpResponse:
        """The service's response."""
        self.calls += 1
        return super().request(*call)


class Subject(NamedTuple):
    """An app over that many groups, and the client that counts its calls (None in directory mode)."""

    app: App
    size: int
    http: Counting | None


def main() -> None:
    """Print a table for each mode."""
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for mode, listed in (("directory mode", 1), (f"directory mode, {LISTED} addresses in each group", LISTED)):
            subjects = [
                Subject(_directory_app(scratch / f"{listed}-{size}", size, listed), size, None) for size in SIZES
            ]
            _measure(mode, subjects)
    with ExitStack() as stack:
        service = stack.enter_context(dynamodb_local())
        subjects = []
        for size in SIZES:
            http = stack.enter_context(closing(Counting()))
            with _duration(f"{size} groups written to DynamoDB Local"):
                fill(service, f"bench-{size}", size)
            subjects.append(Subject(table_app(service, f"bench-{size}", http), size, http))
        _measure("DynamoDB Local", subjects)


def _measure(mode: str, subjects: list[Subject]) -> None:
    for subject in subjects:
        # The first requests warm the caches.
        for number in range(100):
            ask(subject.app, number % subject.size)
        if subject.http is not None:
            subject.http.calls = 0
    samples: dict[int, list[float]] = {subject.size: [] for subject in subjects}
    for number in range(ROUNDS):
        for subject in subjects:
            start = time.perf_counter()
            ask(subject.app, number * 7919 % subject.size)
            samples[subject.size].append(time.perf_counter() - start)
    base = statistics.median(samples[SIZES[0]])
    print(f"/ipxe, {mode}\n{'groups':>8} {'p50 µs':>8} {'p99 µs':>8} {'calls':>6} {'ratio':>6}")
    for subject in subjects:
        taken = samples[subject.size]
        middle, tail = statistics.median(taken), statistics.quantiles(taken, n=100)[98]
        calls = subject.http.calls / ROUNDS if subject.http is not None else 0
        print(f"{subject.size:>8} {middle * 1e6:>8.0f} {tail * 1e6:>8.0f} {calls:>6.2f} {middle / base:>6.2f}")


def _directory_app(directory: Path, size: int, listed: int) -> App:
    write(directory, size, listed)
    with _duration(f"{size} groups read"):
        stores = directory_stores(directory, directory / "assets", print).stores
    routes = Routes(stores, Delivery(BODY_LIMIT, "boundary"))
    return App(routes, Logger(service="bench", level=logging.CRITICAL))


@contextmanager
def _duration(what: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    print(f"{what} in {time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main()
