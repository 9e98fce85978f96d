"""Request metrics: one line of CloudWatch's embedded metric format for each request, on standard output.

CloudWatch charges for each metric beyond ten and for each combination of dimensions. The log has routes and statuses.
"""

import time
from typing import TYPE_CHECKING, NamedTuple

from lambda_matchbox.web.access_log import SERVICE

if TYPE_CHECKING:
    from aws_lambda_powertools.metrics import EphemeralMetrics

SERVER_ERRORS, CLIENT_ERRORS, MILLISECONDS = "ServerErrors", "ClientErrors", "Milliseconds"


class RequestMetrics:
    """Whether requests were errors, and their milliseconds.

    The average of an error metric is its share of the requests, its sample count their number. The line of a process's
    first request follows with its second's, and is lost without one, unless it is that of a server error: the import of
    Powertools' metrics would take longer than all else that a cold function imports.
    """

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._metrics: EphemeralMetrics | None = None
        self._first: _Request | None = None

    def publish(self, status: int, seconds: float) -> None:
        """Write the line of a request."""
        request = _Request(status, seconds, time.time_ns() // 1_000_000)
        if self._metrics is not None:
            _write(self._metrics, request)
        elif self._first is None and status < 500:
            self._first = request
        else:
            from aws_lambda_powertools.metrics import EphemeralMetrics

            self._metrics = EphemeralMetrics(namespace=self._namespace, service=SERVICE)
            for each in filter(None, (self._first, request)):
                _write(self._metrics, each)


class _Request(NamedTuple):
    """The time is in milliseconds since 1970."""

    status: int
    seconds: float
    time: int


def _write(metrics: "EphemeralMetrics", request: _Request) -> None:
    metrics.add_metric(SERVER_ERRORS, "Count", int(request.status >= 500))
    metrics.add_metric(CLIENT_ERRORS, "Count", int(400 <= request.status < 500))
    metrics.add_metric(MILLISECONDS, "Milliseconds", round(request.seconds * 1000, 3))
    metrics.set_timestamp(request.time)
    metrics.flush_metrics()
