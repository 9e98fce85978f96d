"""The level and the format of a server's log."""

from typing import NamedTuple

FORMATS = ("text", "json")


class LogSettings(NamedTuple):
    """The lowest level, and one of FORMATS; without a format, text on a terminal and JSON elsewhere."""

    level: str
    format: str = ""
