"""Durations on the command line."""

import re

import click

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def seconds_in(text: str, least: int = 1) -> int:
    """The seconds in a text such as `30m`. Raises BadParameter, also for fewer than `least`."""
    found = re.fullmatch(r"([0-9]{1,6})([smhd])", text)
    if found is None or int(found[1]) < least:
        raise click.BadParameter("use a number and s, m, h or d, such as 30m")
    return int(found[1]) * _UNITS[found[2]]
