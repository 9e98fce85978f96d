"""The log of a Lambda function: on standard output, in the form of Powertools' Logger."""

import json
import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TextIO

from lambda_matchbox.log_levels import log_level
from lambda_matchbox.web.access_log import without_tokens
from lambda_matchbox.web.json_log import JsonLog
from lambda_matchbox.web.line_log import LineLog

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

_OWN_MODULES = {__name__, JsonLog.__module__, LineLog.__module__}


class FunctionLog(JsonLog):
    """What is at least of `level`, or of that which Lambda is set to pass on.

    Importing Powertools' Logger takes longer than the rest of a cold function's start. It writes what has an exception.
    """

    _encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, default=str).encode

    def __init__(self, level: str, service: str, stream: TextIO | None = None) -> None:
        # Powertools' order ("AWS Lambda Advanced Logging Controls").
        self._level = log_level(os.environ.get("AWS_LAMBDA_LOG_LEVEL") or level)
        super().__init__(self._level, stream or sys.stdout, service)

    def error(
        self,
        msg: object,
        *args: object,
        extra: Mapping[str, object] | None = None,
        exc_info: BaseException | None = None,
    ) -> None:
        """Log at level ERROR, with the exception's frames."""
        if exc_info is None:
            super().error(msg, *args, extra=extra)
        else:
            self._powertools().error(msg, *args, extra=extra, exc_info=exc_info, stacklevel=3)

    def exception(self, msg: object, *args: object) -> None:
        """Log at level ERROR, with the frames of the exception that is handled."""
        self._powertools().exception(msg, *args, stacklevel=3)

    def record(self, level: str, message: str, fields: Mapping[str, object]) -> Mapping[str, object]:
        """The record, with where it was written and the trace of the request."""
        trace = os.environ.get("_X_AMZN_TRACE_ID", "").partition(";")[0].replace("Root=", "")
        return {
            "level": level,
            "location": _location(),
            **super().record(level, message, fields),
            **({"xray_trace_id": trace} if trace else {}),
        }

    def _powertools(self) -> "Logger":
        from aws_lambda_powertools import Logger

        return Logger(
            service=self._service,
            level=self._level,
            use_rfc3339=True,
            json_serializer=lambda record: self._encode(_redacted(record)),
        )


def _redacted(value: Any) -> Any:
    """The value, and what it holds, with each text without tokens."""
    match value:
        case int() | float() | None:
            return value
        case dict():
            return {name: _redacted(each) for name, each in value.items()}
        case list():
            return [_redacted(each) for each in value]
    return without_tokens(str(value))


def _location() -> str:
    """The function and the line that wrote the record."""
    frame: Any = sys._getframe()  # noqa: SLF001 (of CPython)
    while frame.f_globals["__name__"] in _OWN_MODULES:
        frame = frame.f_back
    return f"{frame.f_code.co_name}:{frame.f_lineno}"
