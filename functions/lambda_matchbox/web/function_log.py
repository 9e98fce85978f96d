"""The log of a Lambda function: on standard output, in the form of Powertools' Logger."""

import json
import os
import sys
from collections.abc import Mapping
from typing import Any, TextIO

from lambda_matchbox.log_levels import log_level
from lambda_matchbox.web.access_log import without_tokens
from lambda_matchbox.web.json_log import JsonLog
from lambda_matchbox.web.line_log import LineLog

_OWN_MODULES = {__name__, JsonLog.__module__, LineLog.__module__}


class FunctionLog(JsonLog):
    """What is at least of `level`, or of that which Lambda is set to pass on.

    Importing Powertools' Logger takes longer than the rest of a cold function's start.
    """

    _encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, default=str).encode

    def __init__(self, level: str, service: str, stream: TextIO | None = None) -> None:
        # Powertools' order ("AWS Lambda Advanced Logging Controls").
        super().__init__(log_level(os.environ.get("AWS_LAMBDA_LOG_LEVEL") or level), stream or sys.stdout, service)

    def traceback(self, error: BaseException) -> dict[str, object]:
        """The fields of an exception, and its frames."""
        import traceback

        frames = [
            {
                "file": each.filename,
                "line": each.lineno,
                "function": each.name,
                "statement": without_tokens(each.line or ""),
            }
            for each in traceback.extract_tb(error.__traceback__)
        ]
        kind = {"type": type(error).__name__, "value": without_tokens(str(error)), "module": type(error).__module__}
        return {**super().traceback(error), "stack_trace": {**kind, "frames": frames}}

    def record(self, level: str, message: str, fields: Mapping[str, object]) -> Mapping[str, object]:
        """The record, with where it was written and the trace of the request."""
        found = {"level": level, "location": _location(), **super().record(level, message, fields)}
        if trace := os.environ.get("_X_AMZN_TRACE_ID", "").partition(";")[0].replace("Root=", ""):
            found["xray_trace_id"] = trace
        return found


def _location() -> str:
    """The function and the line that wrote the record."""
    frame: Any = sys._getframe()  # noqa: SLF001 (of CPython)
    while frame.f_globals["__name__"] in _OWN_MODULES:
        frame = frame.f_back
    return f"{frame.f_code.co_name}:{frame.f_lineno}"
