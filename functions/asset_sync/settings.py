"""What the function is configured with, from its environment."""

from collections.abc import Mapping
from typing import NamedTuple

from lambda_matchbox.environment import needed
from lambda_matchbox.image_sync.sources import STAND_IN
from lambda_matchbox.log_levels import log_level


class Settings(NamedTuple):
    """Table and bucket; the JSON of a source that stands in for one that the table lacks; the secret with logins.

    `registry_secret` is the name or ARN of a secret of Secrets Manager, empty for none; `metrics_namespace` is
    CloudWatch's, empty where nothing is to be counted. Endpoints come from botocore's own variables.
    """

    table: str
    bucket: str
    region: str
    stand_in: str
    registry_secret: str
    log_level: str
    metrics_namespace: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read them. Raises MissingSettingError, and ValueError for a value that cannot be used."""
        return cls(
            table=needed(environment, "MATCHBOX_TABLE"),
            bucket=needed(environment, "MATCHBOX_BUCKET"),
            region=needed(environment, "AWS_REGION"),
            stand_in=environment.get(STAND_IN, ""),
            registry_secret=environment.get("MATCHBOX_REGISTRY_SECRET", ""),
            log_level=log_level(environment.get("MATCHBOX_LOG_LEVEL") or "info"),
            metrics_namespace=environment.get("POWERTOOLS_METRICS_NAMESPACE", ""),
        )
