"""Lines in CloudWatch's embedded metric format, read as CloudWatch reads them."""

import json
import logging
import sys
from typing import NamedTuple


class Metric(NamedTuple):
    """A value as CloudWatch stores it."""

    namespace: str
    dimensions: tuple[tuple[str, str], ...]
    name: str
    unit: str
    values: tuple[float, ...]


def metrics_of(text: str) -> list[Metric]:
    """All metrics of lines that hold nothing else, in their order."""
    found = []
    for line in map(json.loads, text.splitlines()):
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        assert isinstance(line["_aws"]["Timestamp"], int)
        for names in directive["Dimensions"]:
            dimensions = tuple(sorted((name, line[name]) for name in names))
            found += [
                Metric(directive["Namespace"], dimensions, one["Name"], one["Unit"], tuple(line[one["Name"]]))
                for one in directive["Metrics"]
            ]
    return found


def open_log(service: str) -> None:
    """Let the function's logger write where it can still write when the test has ended.

    Loggers of one name share their first stream, which is the test's own standard output.
    """
    for handler in logging.getLogger(service).handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(sys.__stderr__)
