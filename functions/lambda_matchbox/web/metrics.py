"""Request metrics: one line of CloudWatch's embedded metric format for each request, on standard output.

CloudWatch charges for each metric beyond ten and for each combination of dimensions. The log has routes and statuses.
"""

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from lambda_matchbox.web.access_log import SERVICE

SERVER_ERRORS, CLIENT_ERRORS, MILLISECONDS = "ServerErrors", "ClientErrors", "Milliseconds"


class RequestMetrics:
    """Whether requests were errors, and their milliseconds.

    The average of an error metric is its share of the requests, its sample count their number.
    """

    def __init__(self, namespace: str) -> None:
        self._metrics = EphemeralMetrics(namespace=namespace, service=SERVICE)

    def publish(self, status: int, seconds: float) -> None:
        """Write the line of a request."""
        self._metrics.add_metric(SERVER_ERRORS, MetricUnit.Count, int(status >= 500))
        self._metrics.add_metric(CLIENT_ERRORS, MetricUnit.Count, int(400 <= status < 500))
        self._metrics.add_metric(MILLISECONDS, MetricUnit.Milliseconds, round(seconds * 1000, 3))
        self._metrics.flush_metrics()
