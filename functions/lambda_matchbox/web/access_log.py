"""The access log: one JSON line for each request, without its query and its response's body."""

import logging
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol
from urllib.parse import quote

from lambda_matchbox.golang.http.paths import to_bytes
from lambda_matchbox.http import Request

_MAX_REPORT_LINES = 50
_MAX_LABELS = 10
_MAX_NAME = 64


class Log(Protocol):
    """A logger of the standard library or of Powertools."""

    def info(self, msg: object, *args: object, extra: Mapping[str, object] | None = None) -> None:
        """Log at level INFO."""

    def warning(self, msg: object, *args: object, extra: Mapping[str, object] | None = None) -> None:
        """Log at level WARNING."""

    def error(
        self,
        msg: object,
        *args: object,
        extra: Mapping[str, object] | None = None,
        exc_info: BaseException | None = None,
    ) -> None:
        """Log at level ERROR."""

    def exception(self, msg: object, *args: object) -> None:
        """Log at level ERROR, with the exception that is handled."""


class AccessLogFields(NamedTuple):
    """A request's route, group and profile, and the outcome: status, log level, and the reason of an error.

    `report` has Butane's lines on a config that was translated, `ignored_labels` the names of labels that count as
    absent because a response may not show them.
    """

    route: str = ""
    group: str = ""
    profile: str = ""
    status: int = 0
    level: int = logging.INFO
    reason: str = ""
    report: tuple[str, ...] = ()
    ignored_labels: tuple[str, ...] = ()


def log_request(log: Log, request: Request, found: AccessLogFields, seconds: float) -> None:
    """Write the line."""
    fields: dict[str, object] = {
        "route": found.route,
        "method": request.method,
        "path": request.path,
        "group": found.group,
        "profile": found.profile,
        "status": found.status,
        "milliseconds": round(seconds * 1000, 3),
        "client": request.client_address,
        "user_agent": request.headers.get("user-agent", ""),
    }
    if found.reason:
        fields["reason"] = found.reason
    if found.ignored_labels:
        fields["ignored_labels"] = [_name(one) for one in _first(found.ignored_labels, _MAX_LABELS)]
    if found.report:
        fields["butane"] = _first(found.report, _MAX_REPORT_LINES)
    write = {logging.INFO: log.info, logging.WARNING: log.warning}.get(found.level, log.error)
    write("request", extra={name: _loggable(value) for name, value in fields.items()})


def _first(lines: Sequence[str], most: int) -> list[str]:
    """The first lines, and how many more there are."""
    more = len(lines) - most
    return [*lines[:most], *([f"and {more} more"] if more > 0 else [])]


def _name(label: str) -> str:
    """The beginning of a label's name as in a query."""
    return quote(to_bytes(label[:_MAX_NAME]), safe=" ")


def _loggable(value: object) -> object:
    """Invalid UTF-8 is a lone surrogate in text, and a stream would refuse the whole line for it."""
    if not isinstance(value, str) or value.isascii():
        return value
    return to_bytes(value).decode("utf-8", "replace")
