"""Prometheus metrics of requests, which all processes of `serve` count."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any

_MEMORY = "/dev/shm"  # noqa: S108 (a new directory in it, of this user alone)
_SECONDS = (0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_NO_ROUTE = "none"


@contextmanager
def request_metrics() -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """A function that counts the request of a line of the access log, also in processes that are forked.

    prometheus_client must not have been imported before. Its files are gone at the end.
    """
    # They are mapped: on a full disk, a write would end the process.
    memory = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    with TemporaryDirectory(prefix=f"matchboxctl-{os.getpid()}-", dir=memory, ignore_cleanup_errors=True) as directory:
        # Read when the library is imported.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = directory
        from prometheus_client import Counter, Histogram

        requests = Counter("matchbox_requests", "Requests by route and status.", ("route", "status"), registry=None)
        seconds = Histogram(
            "matchbox_request_duration_seconds",
            "Seconds until a response was ready to be sent.",
            ("route",),
            registry=None,
            buckets=_SECONDS,
        )

        def count(line: Mapping[str, Any]) -> None:
            route = line["route"] or _NO_ROUTE
            requests.labels(route, line["status"]).inc()
            seconds.labels(route).observe(line["milliseconds"] / 1000)

        yield count
