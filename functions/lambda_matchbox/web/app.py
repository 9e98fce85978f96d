"""The application: a request is routed, answered, and logged in one line."""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from lambda_matchbox.answers import report as reports
from lambda_matchbox.catalog.labels import read_query
from lambda_matchbox.errors import MatchboxError
from lambda_matchbox.http import Request, Response
from lambda_matchbox.log_levels import INFO, WARNING
from lambda_matchbox.web import alb, function_url
from lambda_matchbox.web.access_log import AccessLogFields, Log, log_request
from lambda_matchbox.web.failures import error_response, failure_for
from lambda_matchbox.web.machine import Machine
from lambda_matchbox.web.route import MachineRoute, Route
from lambda_matchbox.web.routes import ASSETS, Routes

if TYPE_CHECKING:
    from lambda_matchbox.web.gate import Outcome

_LEVELS = {"allow": INFO, "wait": INFO, "disk": INFO, "refuse": WARNING}


class App:
    """The routes: `respond` takes a request, and `handle` is a Lambda handler without the context.

    Each response is made within a context of its own from `time_limit`, which limits the time for calls of the stores.
    `count` gets the status and the seconds of each request.
    """

    def __init__(
        self,
        routes: Routes,
        log: Log,
        time_limit: Callable[[], AbstractContextManager[None]] = nullcontext,
        count: Callable[[int, float], None] | None = None,
    ) -> None:
        self._routes = routes
        self.log = log
        self._time_limit = time_limit
        self._count = count

    def handle(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Answer the event of the load balancer or of the function URL."""
        if function_url.sent(event):
            return function_url.event_response(self.respond(function_url.request_from(event)))
        return alb.event_response(self.respond(alb.request_from(event)))

    def respond(self, request: Request) -> Response:
        """Answer the request."""
        start = time.perf_counter()
        response, fields = self._respond(request)
        seconds = time.perf_counter() - start
        log_request(self.log, request, fields, seconds)
        if self._count is not None:
            self._count(fields.status, seconds)
        return response

    def _respond(self, request: Request) -> tuple[Response, AccessLogFields]:
        """The stages of a response; an error is logged with what was found before it."""
        route: Route | MachineRoute | None = None
        machine: Machine | None = None
        report: tuple[str, ...] = ()
        verdict: Outcome | None = None
        level, reason, release = INFO, "", ""
        query = read_query(request.raw_query)
        try:
            with self._time_limit():
                route = self._routes.find(request)
                if isinstance(route, MachineRoute):
                    machine = self._routes.select(query, request.client_address)
                    response, verdict = self._routes.respond(route, request, machine)
                    report, release = response.report, response.release
                    if verdict is None:
                        response = self._routes.deliver(request, response)
                else:
                    release = route.release
                    response = route.respond(request)
            if report:
                level = WARNING
        except MatchboxError as error:
            response = error_response(error)
            level, reason, report = failure_for(error).level, str(error), report or error.report
        if verdict is not None:
            level, reason = max(level, _LEVELS[verdict.kind]), reason or verdict.reason
        reported = ""
        if isinstance(route, MachineRoute) and route.name == reports.ROUTE and response.status == 200:
            failure = reports.failure_in(query)
            reported, reason = ("installed", reason) if failure is None else ("failed", failure)
        group = None if machine is None else machine.selection.group
        profile = route.profile if isinstance(route, Route) else ""
        is_asset = route is not None and route.name == ASSETS
        return response, AccessLogFields(
            route="" if route is None else route.name + (route.suffix if isinstance(route, MachineRoute) else ""),
            group=None if is_asset else "" if group is None else group.id,
            profile=None if is_asset else profile if group is None else group.profile,
            labels=query.labels,
            release=release,
            token=query.labels["token"] if machine is not None and machine.has_token else "",
            reported=reported,
            verdict="" if verdict is None else verdict.kind,
            state="" if verdict is None else verdict.state,
            status=response.status,
            level=level,
            reason=reason,
            report=report,
            ignored_labels=query.not_plain if isinstance(route, MachineRoute) else (),
        )
