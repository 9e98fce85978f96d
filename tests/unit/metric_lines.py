"""Lines in CloudWatch's embedded metric format, read as CloudWatch reads them."""

import json
from typing import NamedTuple


class Metric(NamedTuple):
    """A value as CloudWatch files it."""

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
