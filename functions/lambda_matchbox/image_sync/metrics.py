"""What is counted of image sources, in CloudWatch's embedded metric format on standard output."""

from typing import NamedTuple

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

SERVICE = "asset_sync"
"""The value of the dimension `service`, which Powertools adds."""

AGE = "SyncAge"
"""Intervals that have passed since a source was last found up to date."""

SUCCEEDED, FAILED, SECONDS = "SyncsSucceeded", "SyncsFailed", "SyncSeconds"
SOURCE = "source"

NEVER = 100.0
"""The age of a source that was never found up to date, and cannot be synced."""


class Figures(NamedTuple):
    """What is known of a source, or of all where it is empty; None is not published."""

    source: str = ""
    age: float | None = None
    succeeded: int | None = None
    failed: int | None = None
    seconds: float | None = None


class SyncMetrics:
    """The figures of each source, by source and over all of them."""

    def __init__(self, namespace: str) -> None:
        self._metrics = EphemeralMetrics(namespace=namespace, service=SERVICE)

    def publish(self, figures: Figures) -> None:
        """Write them in one line, if there are any."""
        values = {
            (AGE, MetricUnit.NoUnit): figures.age,
            (SUCCEEDED, MetricUnit.Count): figures.succeeded,
            (FAILED, MetricUnit.Count): figures.failed,
            (SECONDS, MetricUnit.Seconds): figures.seconds,
        }
        known = {metric: value for metric, value in values.items() if value is not None}
        if not known:
            return
        if figures.source:
            self._metrics.add_dimension(SOURCE, figures.source)
            # An alarm has to name its dimensions, and sources come and go.
            self._metrics.add_dimensions(service=SERVICE)
        for (name, unit), value in known.items():
            self._metrics.add_metric(name, unit, round(value, 3))
        self._metrics.flush_metrics()
