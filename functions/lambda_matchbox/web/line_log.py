"""A log that writes a line, or a few that belong together, for each record."""

import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TextIO

from lambda_matchbox.log_levels import ERROR, INFO, LEVEL_NAMES, WARNING
from lambda_matchbox.web.access_log import without_tokens


class LineLog(ABC):
    """A logger (see `web.access_log.Log`) of what is at least of that level.

    The standard library's takes as long for a line as a response takes. A stream that fails, as one on a full disk
    does, loses lines.
    """

    def __init__(self, level: str, stream: TextIO = sys.stderr) -> None:
        self._lowest = next(number for number, name in LEVEL_NAMES.items() if name == level.upper())
        self._stream = stream

    def info(self, msg: object, *args: object, extra: Mapping[str, object] | None = None) -> None:
        """Log at level INFO."""
        self._write(INFO, msg, args, extra)

    def warning(self, msg: object, *args: object, extra: Mapping[str, object] | None = None) -> None:
        """Log at level WARNING."""
        self._write(WARNING, msg, args, extra)

    def error(
        self,
        msg: object,
        *args: object,
        extra: Mapping[str, object] | None = None,
        exc_info: BaseException | None = None,
    ) -> None:
        """Log at level ERROR, with a traceback of the exception."""
        self._write(ERROR, msg, args, {**(extra or {}), **({} if exc_info is None else self.traceback(exc_info))})

    def exception(self, msg: object, *args: object) -> None:
        """Log at level ERROR, with a traceback of the exception that is handled."""
        self.error(msg, *args, exc_info=sys.exception())

    def traceback(self, error: BaseException) -> dict[str, object]:
        """The fields of an exception."""
        # Imported where it is needed: a cold function seldom does.
        import traceback

        text = without_tokens("".join(traceback.format_exception(error)).rstrip("\n"))
        return {"exception": text, "exception_name": type(error).__name__}

    @abstractmethod
    def text(self, level: int, message: str, fields: Mapping[str, object]) -> str:
        """The record without the end of its last line."""

    def _write(self, level: int, msg: object, args: tuple[object, ...], extra: Mapping[str, object] | None) -> None:
        if level < self._lowest:
            return
        text = self.text(level, without_tokens(str(msg) % args if args else str(msg)), extra or {})
        # Not `suppress`, which takes longer, for each request.
        try:
            # One call: lines of other threads stay whole, and of other processes on a pipe those up to 4,096 bytes.
            self._stream.write(text + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            return
