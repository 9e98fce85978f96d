"""The HTTP server of a console."""

import asyncio
import logging
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from lambda_matchbox.errors import MatchboxError
from matchboxctl.cli.errors import CommandError
from matchboxctl.console import access
from matchboxctl.console.catalog import CATALOG, Catalog
from matchboxctl.console.checks import CHECKS, checks
from matchboxctl.console.child import Runner, in_child
from matchboxctl.console.console import CONSOLE, Console
from matchboxctl.console.counts import Counts
from matchboxctl.console.failures import failures
from matchboxctl.console.images import IMAGES, Images
from matchboxctl.console.pages import boots, documents, health, images, machine, machine_actions, machines, which
from matchboxctl.console.recent_boots import BOOTS, boots_of_spans
from matchboxctl.console.sessions import Sessions
from matchboxctl.console.settings import ConsoleSettings
from matchboxctl.console.store_threads import StoreThreads
from matchboxctl.console.templates import environment
from matchboxctl.serve.certificate import Certificate

_MOST_BYTES = 64 * 1024
"""Of a form."""

# A count of the table's machines reads an index.
_COUNTED_SECONDS = 60.0

_IDLE_SECONDS = 75.0
_END_SECONDS = 2.0


def application(settings: ConsoleSettings, apart: Runner = in_child) -> web.Application:
    """The pages over the store; what reads every document is run by `apart`."""
    app = web.Application(middlewares=[failures, access.guard], client_max_size=_MOST_BYTES)
    secret = secrets.token_urlsafe(24)
    counts = Counts(0.0, aside=False) if isinstance(settings.store, Path) else Counts(_COUNTED_SECONDS, aside=True)
    stores = StoreThreads(settings.store)
    app[CONSOLE] = Console(settings, secret, Sessions(), stores, environment(), counts, asyncio.Lock())
    app[CHECKS] = checks(stores, settings.store, apart)
    app[BOOTS] = boots_of_spans(stores)
    app[CATALOG] = Catalog(settings.store, stores)
    app[IMAGES] = Images(settings.store, stores)
    app.on_response_prepare.append(access.add_headers)
    app.cleanup_ctx.append(_stores)
    app.add_routes(
        [
            *machines.ROUTES,
            *machine.ROUTES,
            *boots.ROUTES,
            *documents.ROUTES,
            *which.ROUTES,
            *images.ROUTES,
            *health.ROUTES,
        ]
    )
    app.router.add_static("/static", Path(__file__).parent / "static")
    if not settings.read_only:
        app.add_routes([*machine_actions.ROUTES, *images.ACTIONS])
    if settings.password:
        app.add_routes([web.get("/login", access.login_page), web.post("/login", access.log_in)])
    return app


async def _stores(app: web.Application) -> AsyncIterator[None]:
    """Close the stores at the end."""
    yield
    console = app[CONSOLE]
    await asyncio.gather(app[CHECKS].close(), *(each.close() for each in app[BOOTS].values()))
    await console.stores.close()
    console.counts.close()


async def read_first(console: Console) -> None:
    """Read what the first page shows, so that it is quick."""
    for name in ("base.html", "macros.html", "machines.html"):
        console.templates.get_template(name)
    # Where the stores are away, the page says so.
    with suppress(CommandError, MatchboxError):
        await machines.read_first(console)


async def read_groups(console: Console) -> None:
    """Read what the pages of machines need, which of a data directory is all groups."""
    with suppress(CommandError, MatchboxError):
        await console.stores.ready()


def _log() -> logging.Logger:
    """A log of faults, without those of requests: a line of one may have a cookie."""
    log = logging.getLogger(__name__)
    log.filters = [lambda record: not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))]
    return log


async def serve(app: web.Application, listener: socket.socket, certificate: Certificate | None) -> None:
    """Serve the pages on the socket until the task is cancelled."""
    runner = web.AppRunner(
        app,
        access_log=None,
        logger=_log(),
        keepalive_timeout=_IDLE_SECONDS,
        auto_decompress=False,
        lingering_time=_END_SECONDS,
        shutdown_timeout=_END_SECONDS,
    )
    await runner.setup()
    try:
        context = None if certificate is None else certificate.context
        await web.SockSite(runner, listener, ssl_context=context).start()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
    finally:
        await runner.cleanup()
