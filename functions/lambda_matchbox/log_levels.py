"""matchbox's levels (those of logrus), and which of ours each is."""

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
"""By its name, in lower case, the level of Python's logging."""


def log_level(name: str) -> str:
    """The level of Python's logging for a name in any case. Raises ValueError."""
    level = LEVELS.get(name.lower())
    if level is None:
        raise ValueError(f"log level {name!r} is none of {', '.join(LEVELS)}")
    return level
