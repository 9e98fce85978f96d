"""The page of all boots: how many and when, slow and failing steps, groups and releases."""

from aiohttp import web

from matchboxctl.console.chart import chart
from matchboxctl.console.recent_boots import BOOTS, Recent
from matchboxctl.console.templates import page
from matchboxctl.machines.boot_figures import SPANS, Span, figures

_WAIT_SECONDS = 0.2


async def boots(request: web.Request) -> web.Response:
    """The page."""
    span = _span(request)
    return _page(request, "boots.html", span, await request.app[BOOTS][span.name].of_now(_WAIT_SECONDS))


async def live(request: web.Request) -> web.Response:
    """The figures while boots are read."""
    span = _span(request)
    return _page(request, "boots_live.html", span, await request.app[BOOTS][span.name].so_far())


def _span(request: web.Request) -> Span:
    return SPANS.get(request.query.get("last", ""), SPANS["day"])


def _page(request: web.Request, template: str, span: Span, recent: Recent) -> web.Response:
    found = figures(recent.boots, span, recent.time)
    return page(
        request,
        template,
        warnings=recent.warnings,
        span=span,
        spans=SPANS,
        recent=recent,
        figures=found,
        chart=chart(found, span, recent.known_since),
    )


ROUTES = (web.get("/boots", boots), web.get("/live/boots", live))
