"""Settings from the function's environment."""

from collections.abc import Mapping
from typing import NamedTuple

from lambda_matchbox.environment import endpoint_url, required

_MOST_DAYS = 3650


class Settings(NamedTuple):
    """The history's table, and the days for which it has what machines did. The endpoint is None on AWS.

    `has_assets` says whether the log has requests for assets.
    """

    table: str
    region: str
    days: int
    has_assets: bool
    dynamodb_endpoint: str | None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the variables. Raises MissingSettingError, and ValueError for an invalid value."""
        return cls(
            table=required(environment, "MATCHBOX_HISTORY_TABLE"),
            region=required(environment, "AWS_REGION"),
            days=_days(environment.get("MATCHBOX_HISTORY_DAYS") or "30"),
            has_assets=environment.get("MATCHBOX_HISTORY_ASSETS", "true") == "true",
            dynamodb_endpoint=endpoint_url(environment, "DYNAMODB"),
        )


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= _MOST_DAYS:
        raise ValueError(f"MATCHBOX_HISTORY_DAYS {text!r} is not a number of days from 1 to {_MOST_DAYS}")
    return int(text)
