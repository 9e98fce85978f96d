"""One request of the balancer: routed, answered, and logged in one line."""

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from aws_lambda_powertools import Logger

from boot_api.alb import Answer, Request, event_answer, request_of
from boot_api.failures import answer_of, failure_of
from boot_api.routes import Account, Routes
from matchbox.errors import MatchboxError
from matchbox.url_path import octets


class App:
    """boot_api behind a balancer: `handle` is a Lambda handler but for the context.

    Each answer is made within a context of its own from `in_time`, which limits how long the stores may take for it.
    """

    def __init__(
        self, routes: Routes, log: Logger, in_time: Callable[[], AbstractContextManager[None]] = nullcontext
    ) -> None:
        self._routes = routes
        self._log = log
        self._in_time = in_time

    def handle(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Answer the balancer's event."""
        start = time.perf_counter()
        request = request_of(event)
        account = Account()
        level, reason = logging.INFO, ""
        try:
            with self._in_time():
                answer = self._routes.answer(request, account)
        except MatchboxError as error:
            level, reason = failure_of(error).level, str(error)
            answer = answer_of(error)
        self._write(level, reason, request, account, answer, time.perf_counter() - start)
        return event_answer(answer)

    def _write(
        self, level: int, reason: str, request: Request, account: Account, answer: Answer, seconds: float
    ) -> None:
        fields: dict[str, object] = {
            "route": account.route,
            "method": request.method,
            "path": request.path,
            "group": account.group,
            "profile": account.profile,
            "status": answer.status,
            "milliseconds": round(seconds * 1000, 3),
            "client": request.headers.get("x-forwarded-for", "").partition(",")[0].strip(),
            "user_agent": request.headers.get("user-agent", ""),
        }
        if reason:
            fields["reason"] = reason
        write = {logging.INFO: self._log.info, logging.WARNING: self._log.warning}.get(level, self._log.error)
        write("request", extra={name: _loggable(value) for name, value in fields.items()})


def _loggable(value: object) -> object:
    """Bytes that are no UTF-8 stand as lone surrogates in text, which a stream would refuse with the whole line."""
    return octets(value).decode("utf-8", "replace") if isinstance(value, str) else value
