"""The access log: one JSON line for each request, without its query and its response's body."""

import logging
from typing import NamedTuple

from aws_lambda_powertools import Logger

from lambda_matchbox.golang.http.paths import to_bytes
from lambda_matchbox.http import Request

_MAX_REPORT_LINES = 50


class AccessLogFields(NamedTuple):
    """A request's route, group and profile, and the outcome: status, log level, and the reason of an error.

    `report` has Butane's lines on a config that was translated.
    """

    route: str = ""
    group: str = ""
    profile: str = ""
    status: int = 0
    level: int = logging.INFO
    reason: str = ""
    report: tuple[str, ...] = ()


def log_request(log: Logger, request: Request, found: AccessLogFields, seconds: float) -> None:
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
    if found.report:
        more = len(found.report) - _MAX_REPORT_LINES
        fields["butane"] = [*found.report[:_MAX_REPORT_LINES], *([f"and {more} more"] if more > 0 else [])]
    write = {logging.INFO: log.info, logging.WARNING: log.warning}.get(found.level, log.error)
    write("request", extra={name: _loggable(value) for name, value in fields.items()})


def _loggable(value: object) -> object:
    """Invalid UTF-8 is a lone surrogate in text, and a stream would refuse the whole line for it."""
    return to_bytes(value).decode("utf-8", "replace") if isinstance(value, str) else value
