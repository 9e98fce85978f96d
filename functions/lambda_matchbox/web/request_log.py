"""What does the log say of a request? One JSON line, without its query and without what it was answered."""

import logging
from typing import NamedTuple

from aws_lambda_powertools import Logger

from lambda_matchbox.golang.http.paths import to_bytes
from lambda_matchbox.http import Request
from lambda_matchbox.web.routes import Account

_LONGEST_REPORT = 50


class Outcome(NamedTuple):
    """How it ended: the status, the level at which the log has it, and what is wrong, empty where nothing is."""

    status: int
    level: int = logging.INFO
    reason: str = ""


def log_request(log: Logger, request: Request, account: Account, outcome: Outcome, seconds: float) -> None:
    """Write the line; the client's address is that of X-Forwarded-For."""
    fields: dict[str, object] = {
        "route": account.route,
        "method": request.method,
        "path": request.path,
        "group": account.group,
        "profile": account.profile,
        "status": outcome.status,
        "milliseconds": round(seconds * 1000, 3),
        "client": request.headers.get("x-forwarded-for", "").partition(",")[0].strip(),
        "user_agent": request.headers.get("user-agent", ""),
    }
    if outcome.reason:
        fields["reason"] = outcome.reason
    if account.report:
        more = len(account.report) - _LONGEST_REPORT
        fields["butane"] = account.report[:_LONGEST_REPORT] + ([f"and {more} more"] if more > 0 else [])
    write = {logging.INFO: log.info, logging.WARNING: log.warning}.get(outcome.level, log.error)
    write("request", extra={name: _loggable(value) for name, value in fields.items()})


def _loggable(value: object) -> object:
    """Bytes that are no UTF-8 stand as lone surrogates in text, which a stream would refuse with the whole line."""
    return to_bytes(value).decode("utf-8", "replace") if isinstance(value, str) else value
