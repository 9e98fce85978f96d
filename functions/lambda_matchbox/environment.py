"""The variables of a Lambda function's environment that it cannot do without."""

from collections.abc import Mapping


class MissingSettingError(Exception):
    """An environment variable that the function cannot do without."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not set in the function's environment")


def needed(environment: Mapping[str, str], name: str) -> str:
    """The value of the variable. Raises MissingSettingError where it is not set, or empty."""
    value = environment.get(name)
    if not value:
        raise MissingSettingError(name)
    return value
