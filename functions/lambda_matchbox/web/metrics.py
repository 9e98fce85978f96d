"""Request metrics: one line of CloudWatch's embedded metric format for each request, on standard output.

CloudWatch charges for each metric beyond ten and for each combination of dimensions. The log has routes and statuses.
"""

import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from lambda_matchbox.web.access_log import SERVICE

if TYPE_CHECKING:
    from aws_lambda_powertools.metrics import EphemeralMetrics

SERVER_ERRORS, CLIENT_ERRORS, MILLISECONDS = "ServerErrors", "ClientErrors", "Milliseconds"
_UNITS = {SERVER_ERRORS: "Count", CLIENT_ERRORS: "Count", MILLISECONDS: "Milliseconds"}


class RequestMetrics:
    """Whether requests were errors, and their milliseconds.

    The average of an error metric is its share of the requests, its sample count their number. The line of a process's
    first request is not by Powertools, whose import takes as long as all else that a cold function imports.
    """

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._has_published = False
        self._metrics: EphemeralMetrics | None = None

    def publish(self, status: int, seconds: float) -> None:
        """Write the line of a request."""
        values = {
            SERVER_ERRORS: float(status >= 500),
            CLIENT_ERRORS: float(400 <= status < 500),
            MILLISECONDS: round(seconds * 1000, 3),
        }
        if not self._has_published:
            self._has_published = True
            print(_line(self._namespace, values))  # noqa: T201 (as Powertools does)
            return
        if self._metrics is None:
            from aws_lambda_powertools.metrics import EphemeralMetrics

            self._metrics = EphemeralMetrics(namespace=self._namespace, service=SERVICE)
        for name, value in values.items():
            self._metrics.add_metric(name, _UNITS[name], value)
        self._metrics.flush_metrics()


def _line(namespace: str, values: Mapping[str, float]) -> str:
    """The line that Powertools writes of them."""
    metrics = [{"Name": name, "Unit": _UNITS[name]} for name in values]
    directive = {"Namespace": namespace, "Dimensions": [["service"]], "Metrics": metrics}
    described = {"Timestamp": time.time_ns() // 1_000_000, "CloudWatchMetrics": [directive]}
    return json.dumps({"_aws": described, "service": SERVICE, **{name: [value] for name, value in values.items()}})
