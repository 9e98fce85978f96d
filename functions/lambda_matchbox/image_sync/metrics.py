"""CloudWatch metrics of image sources, in the embedded metric format on standard output."""

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from aws_lambda_powertools.metrics import EphemeralMetrics

SERVICE = "asset_sync"
"""The value of the dimension `service`, which Powertools adds."""

AGE = "SyncAge"
"""Intervals since a source was last up to date."""

SUCCEEDED, FAILED, SECONDS = "SyncsSucceeded", "SyncsFailed", "SyncSeconds"

NEVER = 100.0
"""The age of a source that was never up to date and cannot be synced."""


class SourceMetrics(NamedTuple):
    """The metrics of a source, or of all if `source` is empty; None is not published."""

    source: str = ""
    age: float | None = None
    succeeded: int | None = None
    failed: int | None = None
    seconds: float | None = None


class SyncMetrics:
    """Publishes metrics over all sources: CloudWatch charges for each, and the log names the sources."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace

    def publish(self, metrics: SourceMetrics) -> None:
        """Write the metrics in one line, if there are any."""
        values = {
            (AGE, "None"): metrics.age,
            (SUCCEEDED, "Count"): metrics.succeeded,
            (FAILED, "Count"): metrics.failed,
            (SECONDS, "Seconds"): metrics.seconds,
        }
        known = {metric: value for metric, value in values.items() if value is not None}
        if not known:
            return
        for (name, unit), value in known.items():
            self._metrics.add_metric(name, unit, round(value, 3))
        self._metrics.flush_metrics()

    @cached_property
    def _metrics(self) -> "EphemeralMetrics":
        # Imported after the first sync: it takes as long as half of what a sync imports.
        from aws_lambda_powertools.metrics import EphemeralMetrics

        return EphemeralMetrics(namespace=self._namespace, service=SERVICE)
