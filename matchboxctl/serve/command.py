"""`matchboxctl serve`: the deployed app behind an HTTP server, over a directory or over AWS."""

import resource
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from lambda_matchbox.web.access_log import Log
from lambda_matchbox.web.signatures import Signatures
from matchboxctl.cli.arguments import Address, parse_address
from matchboxctl.cli.ending import SIGNALS
from matchboxctl.cli.errors import UsageError
from matchboxctl.log.settings import LogSettings
from matchboxctl.log.standard_error import standard_error_log
from matchboxctl.rpc.settings import RpcSettings
from matchboxctl.serve.backends import Backend, Directories, directory_backend, store_backend, warn
from matchboxctl.serve.certificate import Certificate
from matchboxctl.serve.console_process import console_process
from matchboxctl.serve.history_writer import RecordedLog
from matchboxctl.serve.listeners import Listener, listeners
from matchboxctl.serve.settings import ServeSettings
from matchboxctl.serve.startup_banner import startup_banner
from matchboxctl.serve.startup_validation import startup_validation
from matchboxctl.store.mode import StoreSettings

if TYPE_CHECKING:
    from matchboxctl.rpc.server import RpcServer


_UNLIMITED = 1_048_576
_OTHER_DESCRIPTORS = 256
"""The descriptors for stores and gRPC, or a quarter where there are few; a download takes two."""


def serve(settings: ServeSettings) -> None:
    """Serve until SIGINT or SIGTERM. Raises UsageError with one line that says what to change."""
    address = parse_address("--address", settings.address)
    http = settings.http._replace(connections=min(settings.http.connections, _descriptors()))
    certificate = None if settings.https is None else Certificate(settings.https.files)
    beside = None
    if settings.https is not None and settings.https.address:
        beside = parse_address("--https-address", settings.https.address)
    metrics = parse_address("--metrics-address", settings.metrics_address) if settings.metrics_address else None
    for number in SIGNALS:
        # Another process may serve before this one does.
        signal.signal(number, lambda *_: sys.exit())
    with ExitStack() as stack:
        backend = _backend(settings, stack.enter_context(_counting()) if metrics else None)
        validate = stack.enter_context(startup_validation(settings.source))
        listening = [_listeners(address, settings.processes, None if beside else certificate)]
        if beside is not None:
            listening.append(_listeners(beside, settings.processes, certificate))
        scraped = _listeners(metrics, 1, None) if metrics else []
        # Imported here: aiohttp takes as long as all the rest, and errors of the directory and the address need none.
        from matchboxctl.serve.http_server import HttpServer
        from matchboxctl.serve.processes import processes

        def after_fork() -> HttpServer:
            backend.after_fork()
            for listener in scraped:
                listener.socket.close()
            return HttpServer(backend.app, http, backend.background, waits=backend.waits)

        running = stack.enter_context(processes(list(zip(*listening, strict=True)), after_fork, http.grace))
        ending: list[Callable[[], object]] = []
        rpc_server = None if settings.rpc is None else _rpc_server(settings.rpc, backend, settings.log)
        port, *ports = (listener.socket.getsockname()[1] for listener in running.listeners)
        banner, *lines = startup_banner(
            address._replace(port=port),
            backend.summary,
            backend.examples,
            scheme="https" if running.listeners[0].certificate else "http",
            beside=beside and beside._replace(port=ports[0]),
        )
        for listener in scraped:
            # All processes are there: this starts a thread.
            lines.insert(len(running.listeners), stack.enter_context(_metrics_served(listener.socket, settings)))
        if settings.console_address and isinstance(settings.source, Directories):
            console = console_process(settings.console_address, settings.source.data_path)
            line, end = stack.enter_context(console)
            lines.insert(len(running.listeners), line)
            ending.append(end)
        for line in [banner, *([] if rpc_server is None else rpc_server.lines), *lines]:
            print(line, flush=True)
        validate()
        if settings.sync:
            ending.append(stack.enter_context(_syncing(settings.source)))
        if rpc_server is not None:
            rpc_server.start()
            stack.callback(rpc_server.stop)
            ending.append(rpc_server.begin_stop)
        running.run(HttpServer(backend.app, http, backend.background, waits=backend.waits), ending)


def _listeners(address: Address, count: int, certificate: Certificate | None) -> list[Listener]:
    try:
        return listeners(address, count, certificate)
    except (OSError, OverflowError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot listen on {address.text}: {reason}") from error


def _descriptors() -> int:
    """The number of descriptors for connections, of as many as the system lets this process have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _UNLIMITED if hard == resource.RLIM_INFINITY else hard
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    except (OSError, ValueError):
        # macOS has no such limit, and refuses to be given it.
        most = soft
    return (most - min(_OTHER_DESCRIPTORS, most // 4)) // 2


def _backend(settings: ServeSettings, count: Callable[[Mapping[str, Any]], None] | None) -> Backend:
    log: Log = standard_error_log(settings.log)
    if count is not None:
        log = RecordedLog(log, count)
    signatures = None
    if settings.key is not None:
        log.info("signing", extra={"fingerprint": settings.key.fingerprint})
        signatures = Signatures(settings.key.binary, settings.key.armored)
    if isinstance(settings.source, Directories):
        return directory_backend(
            settings.source, log, signatures, settings.base_url, history_days=settings.history_days
        )
    return store_backend(settings.source, log, signatures, settings.base_url, history_days=settings.history_days)


def _counting() -> AbstractContextManager[Callable[[Mapping[str, Any]], None]]:
    # Imported here: metrics are optional.
    from matchboxctl.serve.request_metrics import request_metrics

    return request_metrics()


def _metrics_served(listener: socket.socket, settings: ServeSettings) -> AbstractContextManager[str]:
    from matchboxctl.serve.metrics_server import metrics_served
    from matchboxctl.serve.state_metrics import state_metrics

    return metrics_served(listener, state_metrics(settings.source, warn, history=settings.history_days > 0))


def _rpc_server(settings: RpcSettings, backend: Backend, log: LogSettings) -> "RpcServer | None":
    """The server; None, after a line in the log, if it has no certificates. Raises UsageError."""
    # Imported here: gRPC is optional.
    from matchboxctl.rpc.certificates import NoCertificatesError
    from matchboxctl.rpc.command import RPC_SERVICE, rpc_server

    rpc_log = standard_error_log(log, RPC_SERVICE)
    try:
        return rpc_server(settings, backend.documents(), rpc_log)
    except NoCertificatesError as error:
        rpc_log.error("gRPC is off: %s", error)
        return None


@contextmanager
def _syncing(source: Directories | StoreSettings) -> Iterator[Callable[[], None]]:
    """Sync image sources in the background meanwhile; yields what begins the end of that."""
    # Imported here: most servers do not sync, and start sooner without it.
    from matchboxctl.releases.source_stores import stores_in_directory, stores_in_table
    from matchboxctl.serve.background_sync import BackgroundSync

    if isinstance(source, Directories):
        sources = stores_in_directory(source.data_path).sources
        sync = BackgroundSync(sources, ["--data-path", str(source.data_path)], warn, known=sources().refused)
    else:
        sync = BackgroundSync(stores_in_table(source).sources, [], warn, environment=source.environment())
    sync.start()
    try:
        yield sync.begin_end
    finally:
        sync.end()
