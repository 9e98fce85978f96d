"""Request metrics: one line of CloudWatch's embedded metric format for each request, on standard output.

CloudWatch charges for each combination of dimensions, so no dimension has a value that a client chooses.
"""

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from lambda_matchbox.web.access_log import SERVICE

REQUESTS, MILLISECONDS = "Requests", "Milliseconds"
ROUTE, STATUS = "route", "status"
NO_ROUTE = "none"


class RequestMetrics:
    """Requests and their milliseconds, by route and by class of status."""

    def __init__(self, namespace: str) -> None:
        self._metrics = EphemeralMetrics(namespace=namespace, service=SERVICE)

    def publish(self, route: str, status: int, seconds: float) -> None:
        """Write the line of a request; `route` is empty for a path without a route."""
        self._metrics.add_dimension(ROUTE, route or NO_ROUTE)
        self._metrics.add_dimension(STATUS, f"{status // 100}xx")
        self._metrics.add_metric(REQUESTS, MetricUnit.Count, 1)
        self._metrics.add_metric(MILLISECONDS, MetricUnit.Milliseconds, round(seconds * 1000, 3))
        self._metrics.flush_metrics()
