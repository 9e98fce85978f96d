"""The log for programs: a line of JSON for each record, in the form of the functions' log."""

import json
import logging
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import TextIO

from lambda_matchbox.web.access_log import SERVICE
from matchboxctl.log.line_log import LineLog


class JsonLog(LineLog):
    """A log of JSON lines with this `service`."""

    def __init__(self, level: str, stream: TextIO = sys.stderr, service: str = SERVICE) -> None:
        super().__init__(level, stream)
        self._service = service
        self._encode = json.JSONEncoder(default=str).encode

    def text(self, level: int, message: str, fields: Mapping[str, object]) -> str:
        """The record as JSON."""
        return self._encode(
            {
                "level": logging.getLevelName(level),
                "message": message,
                "timestamp": _timestamp(),
                "service": self._service,
                **fields,
            }
        )


def _timestamp() -> str:
    seconds, milliseconds = divmod(time.time_ns() // 1_000_000, 1000)
    return f"{_to_the_second(seconds)}.{milliseconds:03d}+00:00"


@lru_cache(maxsize=1)
def _to_the_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
