"""matchbox's names of levels are understood."""

import logging

import pytest

from lambda_matchbox.log_levels import LEVELS, log_level
from lambda_matchbox.web.settings import Settings


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("panic", "CRITICAL"),
        ("Fatal", "CRITICAL"),
        ("critical", "CRITICAL"),
        ("ERROR", "ERROR"),
        ("warn", "WARNING"),
        ("Warning", "WARNING"),
        ("INFO", "INFO"),
        ("debug", "DEBUG"),
    ],
)
def test_names(name: str, level: str) -> None:
    """A level is known by matchbox's name, in any case."""
    assert level == log_level(name)


def test_all_are_levels() -> None:
    """Each is one that Python's logging has."""
    assert set(LEVELS.values()) <= logging.getLevelNamesMapping().keys()


def test_unknown() -> None:
    """Another word is shown with those that are known."""
    with pytest.raises(ValueError, match=r"invalid log level 'loud'; use one of panic, fatal, .* debug"):
        log_level("loud")


@pytest.mark.parametrize(("given", "level"), [({"MATCHBOX_LOG_LEVEL": "Warn"}, "WARNING"), ({}, "INFO")])
def test_of_the_function(given: dict[str, str], level: str) -> None:
    """The function's own setting takes the same names."""
    environment = {"MATCHBOX_TABLE": "t", "MATCHBOX_BUCKET": "b", "AWS_REGION": "r"}
    assert level == Settings.from_environment(environment | given).log_level
