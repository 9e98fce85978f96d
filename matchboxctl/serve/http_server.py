"""The HTTP server of `serve`: aiohttp's, within limits, in front of the app."""

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import cache, partial
from http import HTTPStatus
from pathlib import Path
from typing import IO, cast

from aiohttp import web

from lambda_matchbox.catalog.labels import read_query
from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.golang.http.content import Span
from lambda_matchbox.http import FileBody, Request, Response
from lambda_matchbox.web.access_log import AccessLogFields, log_request
from lambda_matchbox.web.app import App
from lambda_matchbox.web.failures import error_response
from matchboxctl.directory.waiting import AtOnce, MustWaitError
from matchboxctl.serve.certificate import Certificate
from matchboxctl.serve.connections import Connections
from matchboxctl.serve.host_names import is_known_host
from matchboxctl.serve.http_connection import SERVER, LimitedConnection, LimitedServer
from matchboxctl.serve.listeners import BACKLOG, Listener
from matchboxctl.serve.settings import HttpSettings
from matchboxctl.serve.tls_connection import TlsConnection
from matchboxctl.serve.usual_response import is_usual, send_usual

ACCEPTED_AT_ONCE = 8
"""asyncio accepts as many connections as its backlog before the limits see the first of them."""

_THREADS = 32
_SWEEP_INTERVAL = 1.0

# What may take long runs in a thread, which costs more than a short response.
_LONG_ROUTES = ("/ignition", "/ignition.sig", "/ignition.asc")
_LONG_QUERY = 2048


class HttpServer:
    """Serves the app at listening sockets until it is stopped.

    It serves within `background`. With `waits`, a response may wait for other servers, and runs in a thread.
    """

    def __init__(
        self, app: App, settings: HttpSettings, background: AbstractContextManager[object] | None = None, *, waits: bool
    ) -> None:
        self.app = app
        self._settings = settings
        self._background = background or nullcontext()
        self._waits = waits
        self._threads = ThreadPoolExecutor(_THREADS, "request")

    async def serve(self, listeners: Sequence[Listener], stop: asyncio.Event) -> None:
        """Serve until `stop` is set; then complete the requests that are running, for the seconds of grace."""
        with self._background:
            await self._serve(listeners, stop)

    async def _serve(self, listeners: Sequence[Listener], stop: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        limits = (self._settings.connections, self._settings.connections_per_address)
        connections = Connections(*limits, self.app.log, loop.time)
        manager = LimitedServer(self.respond, connections, self.app.log)
        servers = []
        for listener in listeners:
            certificate = listener.certificate
            connection = manager if certificate is None else partial(_tls_connection, manager, certificate)
            servers.append(await loop.create_server(connection, sock=listener.socket, backlog=ACCEPTED_AT_ONCE))
            listener.socket.listen(BACKLOG)
        certificates = [listener.certificate for listener in listeners if listener.certificate is not None]
        sweeping = loop.create_task(self._sweep(connections, certificates))
        try:
            await stop.wait()
            for server in servers:
                server.close()
            with suppress(TimeoutError):
                await asyncio.wait_for(connections.drained(), self._settings.grace)
        finally:
            sweeping.cancel()
            await manager.shutdown(0.1)
            connections.log_refused()
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def _sweep(self, connections: Connections, certificates: Sequence[Certificate]) -> None:
        while True:
            await asyncio.sleep(_SWEEP_INTERVAL)
            connections.sweep()
            for certificate in certificates:
                certificate.renew(self.app.log)

    async def respond(self, http: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        connection = cast(LimitedConnection, http.protocol)
        request = _request(http, connection)
        try:
            response = None if self._waits or _may_take_long(request) else self._respond_at_once(request)
            if response is None:
                response = await asyncio.get_running_loop().run_in_executor(self._threads, self._respond, request)
            return await self._send(http, request, response)
        except ConnectionError:
            # The client has gone.
            connection.force_close()
            return web.Response()
        finally:
            await connection.end(http.content)

    def _respond_at_once(self, request: Request) -> Response | None:
        """The response; None if it takes a wait, which all others would have to wait for."""
        try:
            with AtOnce():
                return self._respond(request)
        except MustWaitError:
            return None

    def _respond(self, request: Request) -> Response:
        names = self._settings.host_names
        if names and not is_known_host(request.headers.get("host", ""), names):
            return self._refusal(request, HTTPStatus.MISDIRECTED_REQUEST, "not one of --host-names")
        try:
            return self.app.respond(request)
        except MustWaitError:
            raise
        except Exception:
            self.app.log.exception("unhandled exception")
            return self._refusal(request, HTTPStatus.BAD_GATEWAY, "unhandled exception", logging.ERROR)

    def _refusal(self, request: Request, status: HTTPStatus, reason: str, level: int = logging.WARNING) -> Response:
        labels = read_query(request.raw_query).labels
        fields = AccessLogFields(labels=labels, status=status, level=level, reason=reason)
        log_request(self.app.log, request, fields, 0)
        return Response(status, {"content-length": "0"})

    async def _send(self, http: web.BaseRequest, request: Request, response: Response) -> web.StreamResponse:
        headers = {_capitalised(name): value for name, value in response.headers.items()}
        headers["Server"] = SERVER
        if response.file is not None and request.method != "HEAD":
            return await self._stream(
                http, request, response.file, web.StreamResponse(status=response.status, headers=headers)
            )
        if is_usual(http, response):
            return await send_usual(http, headers, response.body)
        whole = web.Response(status=response.status, headers=headers, body=response.body)
        await whole.prepare(http)
        await whole.write_eof()
        return whole

    async def _send_span(self, http: web.BaseRequest, path: Path, file: IO[bytes], span: Span) -> None:
        """Send part of a file. The header promises a length: closing is the only way to report an error."""
        if http.transport is None or http.transport.is_closing():
            raise ConnectionResetError
        try:
            sent = await asyncio.get_running_loop().sendfile(http.transport, file, span.start, span.length)
        except (ConnectionError, TimeoutError) as error:
            raise ConnectionResetError from error
        except OSError as error:
            self.app.log.error("%s cannot be sent: %s", path, error.strerror)
            raise ConnectionAbortedError from error
        if sent != span.length:
            self.app.log.error("%s became shorter while it was sent", path)
            raise ConnectionAbortedError

    async def _stream(
        self, http: web.BaseRequest, request: Request, body: FileBody, sent: web.StreamResponse
    ) -> web.StreamResponse:
        loop = asyncio.get_running_loop()
        try:
            file: IO[bytes] = await loop.run_in_executor(self._threads, _opened, body.path)
        except OSError as error:
            reason = f"{body.path} cannot be read: {error.strerror}"
            self.app.log.error(reason)
            return await self._send(http, request, error_response(StoreUnavailableError(reason)))
        with file:
            await sent.prepare(http)
            for piece in body.pieces:
                if isinstance(piece, Span):
                    await self._send_span(http, body.path, file, piece)
                else:
                    await sent.write(piece)
        await sent.write_eof()
        return sent


def _tls_connection(manager: LimitedServer, certificate: Certificate) -> TlsConnection:
    return TlsConnection(manager.connection("https"), certificate.context)


def _request(http: web.BaseRequest, connection: LimitedConnection) -> Request:
    target = _without_host(http.raw_path.partition("#")[0])
    path, _, query = target.partition("?")
    headers: dict[str, str] = {}
    for name, value in http.headers.items():
        headers.setdefault(name.lower(), value)
    if not headers.get("host"):
        headers["host"] = connection.own_address
    headers["x-forwarded-for"] = connection.address
    headers["x-forwarded-proto"] = connection.scheme
    return Request(http.method, path or "/", query, headers)


def _without_host(target: str) -> str:
    """The target in origin form: some clients send `http://host/path`."""
    scheme, separator, rest = target.partition("://")
    if separator and scheme.lower() in ("http", "https"):
        host_end = min((at for at in (rest.find("/"), rest.find("?")) if at >= 0), default=len(rest))
        return rest[host_end:] or "/"
    return target


def _opened(path: Path) -> IO[bytes]:
    return path.open("rb")


@cache
def _capitalised(name: str) -> str:
    """The header's name as GRUB reads it, which matches `Content-Length` in this case only."""
    return "-".join(part.capitalize() for part in name.split("-"))


def _may_take_long(request: Request) -> bool:
    listing = request.path.startswith("/assets") and request.path.endswith("/")
    return listing or request.path in _LONG_ROUTES or len(request.raw_query) > _LONG_QUERY
