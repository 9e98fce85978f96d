"""The log of `serve` on standard error: a line of JSON for each record, in the form of the functions' log."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

from lambda_matchbox.web.metrics import SERVICE

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
"""The attributes of a record without extra fields."""


def json_log(level: str, stream: TextIO = sys.stderr) -> logging.Logger:
    """A logger that writes lines of JSON, and nothing to other loggers."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_JsonFormatter())
    # Loggers of one name would share their handlers.
    log = logging.Logger(SERVICE, level.upper())  # noqa: LOG001
    log.addHandler(handler)
    return log


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        fields: dict[str, object] = {
            "level": record.levelname,
            "message": record.getMessage(),
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "service": record.name,
        }
        fields.update((name, value) for name, value in vars(record).items() if name not in _OWN)
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
            fields["exception_name"] = getattr(record.exc_info[0], "__name__", "")
        return json.dumps(fields, default=str)
