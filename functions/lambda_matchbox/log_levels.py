"""Log levels by matchbox's names, which are logrus's."""

DEBUG, INFO, WARNING, ERROR, CRITICAL = 10, 20, 30, 40, 50
"""Those of Python's logging, which a cold function starts sooner without."""

LEVEL_NAMES = {DEBUG: "DEBUG", INFO: "INFO", WARNING: "WARNING", ERROR: "ERROR", CRITICAL: "CRITICAL"}

LEVELS = {
    "panic": "CRITICAL",
    "fatal": "CRITICAL",
    "critical": "CRITICAL",
    "error": "ERROR",
    "warn": "WARNING",
    "warning": "WARNING",
    "info": "INFO",
    "debug": "DEBUG",
    "trace": "DEBUG",
}
"""The levels of Python's logging by name, in lower case."""


def log_level(name: str) -> str:
    """The level of that name, in any case. Raises ValueError."""
    level = LEVELS.get(name.lower())
    if level is None:
        raise ValueError(f"invalid log level {name!r}; use one of {', '.join(LEVELS)}")
    return level
