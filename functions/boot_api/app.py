"""One request of the balancer: routed, answered, and logged in one line."""

import logging
import time
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger

from boot_api.alb import Answer, Request, event_answer, request_of
from boot_api.failures import answer_of, failure_of
from boot_api.routes import Routed, Routes
from matchbox.errors import MatchboxError
from matchbox.url_path import octets

# The front end streams the file that this header names in the place of the (empty) body.
FRONT_HEADER = "x-accel-redirect"


class App:
    """boot_api behind a balancer: `handle` is a Lambda handler but for the context."""

    def __init__(self, routes: Routes, log: Logger) -> None:
        self._routes = routes
        self._log = log

    def handle(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Answer the balancer's event."""
        start = time.perf_counter()
        request = request_of(event)
        level, reason = logging.INFO, None
        try:
            routed = self._routes.answer(request)
        except MatchboxError as error:
            level, reason = failure_of(error).level, str(error)
            routed = Routed(answer_of(error), request.path)
        self._write(level, reason, request, routed, time.perf_counter() - start)
        answer = routed.answer
        if routed.front is not None:
            answer = Answer(answer.status, {**answer.headers, FRONT_HEADER: routed.front})
        return event_answer(answer)

    def _write(self, level: int, reason: str | None, request: Request, routed: Routed, seconds: float) -> None:
        fields: dict[str, object] = {
            "route": routed.route,
            "method": request.method,
            "group": routed.group,
            "profile": routed.profile,
            "status": routed.answer.status,
            "milliseconds": round(seconds * 1000, 3),
            "client": request.headers.get("x-forwarded-for", "").partition(",")[0].strip(),
            "user_agent": request.headers.get("user-agent", ""),
        }
        if reason is not None:
            fields["reason"] = reason
        write = {logging.INFO: self._log.info, logging.WARNING: self._log.warning}.get(level, self._log.error)
        write("request", extra={name: _loggable(value) for name, value in fields.items()})


def _loggable(value: object) -> object:
    """Bytes that are no UTF-8 stand as lone surrogates in text, which a stream would refuse with the whole line."""
    return octets(value).decode("utf-8", "replace") if isinstance(value, str) else value
