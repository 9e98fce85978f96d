"""The log for programs: a line of JSON for each record."""

import json
import sys
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import TextIO

from lambda_matchbox.log_levels import LEVEL_NAMES
from lambda_matchbox.web.access_log import SERVICE
from lambda_matchbox.web.line_log import LineLog


class JsonLog(LineLog):
    """A log of JSON lines with this `service`, in ASCII: the stream may have any encoding."""

    _encode = json.JSONEncoder(separators=(",", ":"), default=str).encode

    def __init__(self, level: str, stream: TextIO = sys.stderr, service: str = SERVICE) -> None:
        super().__init__(level, stream)
        self._service = service

    def text(self, level: int, message: str, fields: Mapping[str, object]) -> str:
        """The record as JSON."""
        return self._encode(self.record(LEVEL_NAMES[level], message, fields))

    def record(self, level: str, message: str, fields: Mapping[str, object]) -> Mapping[str, object]:
        """What the line holds."""
        return {"level": level, "message": message, "timestamp": _timestamp(), "service": self._service, **fields}


def _timestamp() -> str:
    seconds, milliseconds = divmod(time.time_ns() // 1_000_000, 1000)
    return f"{_to_the_second(seconds)}.{milliseconds:03d}+00:00"


@lru_cache(maxsize=1)
def _to_the_second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
