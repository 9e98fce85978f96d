"""Settings from the function's environment."""

from collections.abc import Mapping
from typing import NamedTuple

from lambda_matchbox.environment import endpoint_url, required
from lambda_matchbox.image_sync.sources import STAND_IN
from lambda_matchbox.log_levels import log_level


class Settings(NamedTuple):
    """Table and bucket, the JSON of a source that may be missing in the table, the secret with logins.

    `registry_secret` is the name or ARN of a secret in Secrets Manager, empty for none; without `metrics_namespace` no
    metrics are published. With `release_copies` the bucket gets the copies of releases that CloudFront serves.
    An endpoint is None on AWS.
    """

    table: str
    bucket: str
    region: str
    stand_in: str
    registry_secret: str
    log_level: str
    metrics_namespace: str
    release_copies: bool
    dynamodb_endpoint: str | None
    s3_endpoint: str | None
    secrets_endpoint: str | None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the variables. Raises MissingSettingError, and ValueError for an invalid value."""
        return cls(
            table=required(environment, "MATCHBOX_TABLE"),
            bucket=required(environment, "MATCHBOX_BUCKET"),
            region=required(environment, "AWS_REGION"),
            stand_in=environment.get(STAND_IN, ""),
            registry_secret=environment.get("MATCHBOX_REGISTRY_SECRET", ""),
            log_level=log_level(environment.get("MATCHBOX_LOG_LEVEL") or "info"),
            metrics_namespace=environment.get("POWERTOOLS_METRICS_NAMESPACE", ""),
            release_copies=environment.get("MATCHBOX_RELEASE_COPIES") == "true",
            dynamodb_endpoint=endpoint_url(environment, "DYNAMODB"),
            s3_endpoint=endpoint_url(environment, "S3"),
            secrets_endpoint=endpoint_url(environment, "SECRETS_MANAGER"),
        )
