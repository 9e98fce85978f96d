"""Required variables of a function's environment."""

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
