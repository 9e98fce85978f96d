"""What is counted of requests: one line of CloudWatch's embedded metric format for each, on standard output.

CloudWatch makes a metric of each combination of dimensions and charges for it, so what a machine may choose is none.
"""

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

SERVICE = "boot_api"
"""The value of the dimension `service`, which Powertools adds."""

REQUESTS, MILLISECONDS = "Requests", "Milliseconds"
ROUTE, STATUS = "route", "status"
NO_ROUTE = "none"


class RequestMetrics:
    """Requests and their milliseconds, by route and by class of status."""

    def __init__(self, namespace: str) -> None:
        self._metrics = EphemeralMetrics(namespace=namespace, service=SERVICE)

    def publish(self, route: str, status: int, seconds: float) -> None:
        """Write the line of a request; the route is empty where it had none."""
        self._metrics.add_dimension(ROUTE, route or NO_ROUTE)
        self._metrics.add_dimension(STATUS, f"{status // 100}xx")
        self._metrics.add_metric(REQUESTS, MetricUnit.Count, 1)
        self._metrics.add_metric(MILLISECONDS, MetricUnit.Milliseconds, round(seconds * 1000, 3))
        self._metrics.flush_metrics()
