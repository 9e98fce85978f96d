"""The HTTP server of `serve --metrics-address`, in a thread of its own."""

import asyncio
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.aiohttp import make_aiohttp_handler
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from matchboxctl.cli.arguments import Address

_PATH = "/metrics"

_END_SECONDS = 2.0


@contextmanager
def metrics_served(listener: socket.socket, states: Iterable[Collector]) -> Iterator[str]:
    """Serve the metrics of requests, and those of `states`, meanwhile; no process may be forked then.

    Yields a line that says where they are.
    """
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    for each in states:
        registry.register(each)
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    def run() -> None:
        with closing(loop):
            loop.run_until_complete(_serve(listener, registry, stop))

    thread = threading.Thread(target=run, name="metrics", daemon=True)
    thread.start()
    try:
        host, port = listener.getsockname()[:2]
        yield f"metrics at http://{Address(host, port).text}{_PATH}"
    finally:
        loop.call_soon_threadsafe(stop.set)
        # A store may keep a scrape waiting for longer.
        thread.join(_END_SECONDS)


async def _serve(listener: socket.socket, registry: CollectorRegistry, stop: asyncio.Event) -> None:
    app = web.Application()
    app.router.add_get(_PATH, make_aiohttp_handler(registry))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_END_SECONDS / 2)
    await runner.setup()
    await web.SockSite(runner, listener).start()
    await stop.wait()
    await runner.cleanup()
