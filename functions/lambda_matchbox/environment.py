"""Variables of the environment: required ones, and the endpoints of AWS services."""

from collections.abc import Mapping


class MissingSettingError(Exception):
    """A required environment variable is not set."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not set in the function's environment")


def required(environment: Mapping[str, str], name: str) -> str:
    """The value of the variable. Raises MissingSettingError where it is not set or empty."""
    value = environment.get(name)
    if not value:
        raise MissingSettingError(name)
    return value


def endpoint_url(environment: Mapping[str, str], service: str) -> str | None:
    """The endpoint of an AWS service, such as `S3`, as botocore reads it from the environment; None for AWS's own."""
    if environment.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true":
        return None
    return environment.get(f"AWS_ENDPOINT_URL_{service}") or environment.get("AWS_ENDPOINT_URL") or None
