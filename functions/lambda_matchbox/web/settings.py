"""The settings of the app over table and bucket, from a function's environment."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from lambda_matchbox.aws.secrets import SecretSettings, arns_by_name
from lambda_matchbox.environment import endpoint_url, required
from lambda_matchbox.log_levels import log_level

# Scripts have it in them.
_BASE_URL = re.compile(r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~/-]*)?")
_MAX_LIFETIME = 604_800  # seven days (Signature Version 4, X-Amz-Expires)


class Settings(NamedTuple):
    """Table, bucket and how they are reached.

    `base_url` is where machines ask for configurations, empty for where they asked for their script. `bucket_url`
    serves the bucket's objects to clients that cannot use a presigned address (without a trailing slash, empty for
    none), with `direct_files` to all; `presigned_lifetime` is in seconds. `metrics_namespace` is CloudWatch's, empty
    for no metrics. With `history`, every request is logged, whatever `log_level` is. An endpoint is None on AWS.
    """

    table: str
    bucket: str
    region: str
    base_url: str
    bucket_url: str
    direct_files: bool
    presigned_lifetime: int
    log_level: str
    metrics_namespace: str
    history: bool
    dynamodb_endpoint: str | None
    s3_endpoint: str | None
    secrets: SecretSettings

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read them. Raises MissingSettingError, or ValueError for an invalid value."""
        bucket_url = environment.get("MATCHBOX_BUCKET_URL", "").rstrip("/")
        if bucket_url and not bucket_url.startswith("http://"):
            # GRUB, U-Boot and most builds of iPXE lack TLS.
            raise ValueError(f"MATCHBOX_BUCKET_URL {bucket_url!r} does not start with http://")
        return cls(
            table=required(environment, "MATCHBOX_TABLE"),
            bucket=required(environment, "MATCHBOX_BUCKET"),
            region=required(environment, "AWS_REGION"),
            base_url=checked_base_url(environment.get("MATCHBOX_BASE_URL", "")),
            bucket_url=bucket_url,
            direct_files=environment.get("MATCHBOX_DIRECT_FILES") == "true",
            presigned_lifetime=_lifetime(environment.get("MATCHBOX_PRESIGNED_LIFETIME") or "3600"),
            log_level=log_level(environment.get("MATCHBOX_LOG_LEVEL") or "info"),
            metrics_namespace=environment.get("POWERTOOLS_METRICS_NAMESPACE", ""),
            history=environment.get("MATCHBOX_HISTORY") == "true",
            dynamodb_endpoint=endpoint_url(environment, "DYNAMODB"),
            s3_endpoint=endpoint_url(environment, "S3"),
            secrets=SecretSettings(
                environment.get("MATCHBOX_SECRETS", "").rstrip("/"),
                arns_by_name(environment.get("MATCHBOX_SECRETS_MANAGER", "")),
                endpoint_url(environment, "SSM"),
                endpoint_url(environment, "SECRETS_MANAGER"),
            ),
        )


def checked_base_url(text: str) -> str:
    """The address without a trailing slash. Raises ValueError."""
    if text and not _BASE_URL.fullmatch(text):
        raise ValueError(f"{text!r} is no address such as https://boot.example.com")
    return text.rstrip("/")


def _lifetime(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= _MAX_LIFETIME:
        raise ValueError(f"MATCHBOX_PRESIGNED_LIFETIME {text!r} is not a number of seconds from 1 to {_MAX_LIFETIME}")
    return int(text)
