"""One request of the balancer: routed, answered, and logged in one line."""

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from aws_lambda_powertools import Logger

from lambda_matchbox.errors import MatchboxError
from lambda_matchbox.web.alb import event_answer, request_of
from lambda_matchbox.web.failures import answer_of, failure_of
from lambda_matchbox.web.request_log import Outcome, log_request
from lambda_matchbox.web.routes import Account, Routes


class App:
    """boot_api behind a balancer: `handle` is a Lambda handler but for the context.

    Each answer is made within a context of its own from `in_time`, which limits how long the stores may take for it.
    `count` is told the route, the status and the seconds of each request.
    """

    def __init__(
        self,
        routes: Routes,
        log: Logger,
        in_time: Callable[[], AbstractContextManager[None]] = nullcontext,
        count: Callable[[str, int, float], None] | None = None,
    ) -> None:
        self._routes = routes
        self.log = log
        self._in_time = in_time
        self._count = count

    def handle(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Answer the balancer's event."""
        start = time.perf_counter()
        request = request_of(event)
        account = Account()
        try:
            with self._in_time():
                answer = self._routes.answer(request, account)
            outcome = Outcome(answer.status, logging.WARNING if account.report else logging.INFO)
        except MatchboxError as error:
            answer = answer_of(error)
            outcome = Outcome(*failure_of(error), str(error))
        seconds = time.perf_counter() - start
        log_request(self.log, request, account, outcome, seconds)
        if self._count is not None:
            self._count(account.route, outcome.status, seconds)
        return event_answer(answer)
