"""The HTTP server of `serve`, in a thread of the test."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from lambda_matchbox.web.app import App
from matchboxctl.serve.certificate import Certificate
from matchboxctl.serve.http_server import HttpServer
from matchboxctl.serve.listeners import Listener
from matchboxctl.serve.settings import HttpSettings

SETTINGS = HttpSettings(connections=1000, connections_per_address=1000, grace=8)


@contextmanager
def http_serving(
    app: App, settings: HttpSettings = SETTINGS, *, waits: bool = False, certificate: Certificate | None = None
) -> Iterator[int]:
    """Serve the app at a free port of 127.0.0.1, which is yielded, over TLS with a certificate.

    Every response is complete at the end.
    """
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = HttpServer(app, settings, waits=waits)
        serving = threading.Thread(
            target=loop.run_until_complete, args=(server.serve([Listener(listener, certificate)], stop),)
        )
        serving.start()
        try:
            yield listener.getsockname()[1]
        finally:
            loop.call_soon_threadsafe(stop.set)
            serving.join()
            loop.close()
