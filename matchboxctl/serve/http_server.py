"""The HTTP server of `serve`: aiohttp's, within limits, in front of the app."""

import asyncio
import logging
import socket
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from http import HTTPStatus
from ipaddress import ip_address
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestHandler, RequestPayloadError

from lambda_matchbox.golang.http.content import Span
from lambda_matchbox.http import FileBody, Request, Response
from lambda_matchbox.web.access_log import AccessLogFields, log_request
from lambda_matchbox.web.app import App
from matchboxctl.serve.connections import HEAD_SIZE, Connections

GRACE = 8.0
"""The seconds that downloads have to end after SIGTERM."""

BACKLOG = 1024
"""The number of connections that wait to be accepted."""

# asyncio accepts as many connections as its backlog before the limits see the first of them.
_ACCEPTED_AT_ONCE = 8
_SERVER = "lambda-matchbox"
_LINE_SIZE = 16_384
_STALLED = 120_000
"""Milliseconds without progress after which the kernel ends a connection (tcp(7), TCP_USER_TIMEOUT)."""

_THREADS = 32
_BODY_SECONDS = 10.0
_SWEEP_INTERVAL = 1.0


# What may take long runs in a thread, which costs more than a short response.
_LONG_ROUTES = ("/ignition", "/ignition.sig", "/ignition.asc")
_LONG_QUERY = 2048


class HttpSettings(NamedTuple):
    """The limits of connections, and the host names to which the server answers (any if there are none)."""

    connections: int
    connections_per_address: int
    host_names: Collection[str] = ()


class HttpServer:
    """Serves the app at a listening socket until it is stopped.

    With `waits`, a response may wait for other servers, and runs in a thread.
    """

    def __init__(self, app: App, settings: HttpSettings, *, waits: bool) -> None:
        self.app = app
        self._settings = settings
        self._waits = waits
        self._threads = ThreadPoolExecutor(_THREADS, "request")

    async def serve(self, listener: socket.socket, stop: asyncio.Event) -> None:
        """Serve until `stop` is set; then complete the requests that are running, for GRACE seconds."""
        loop = asyncio.get_running_loop()
        limits = (self._settings.connections, self._settings.connections_per_address)
        connections = Connections(*limits, self.app.log, loop.time)
        manager = _Server(self, connections)
        server = await loop.create_server(manager, sock=listener, backlog=_ACCEPTED_AT_ONCE)
        listener.listen(BACKLOG)
        sweeping = loop.create_task(_sweep(connections))
        try:
            await stop.wait()
            server.close()
            with suppress(TimeoutError):
                await asyncio.wait_for(connections.drained(), GRACE)
        finally:
            sweeping.cancel()
            await manager.shutdown(0.1)
            connections.log_refused()
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def respond(self, http: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        connection = cast(_Connection, http.protocol)
        request = _request(http, connection)
        try:
            if self._waits or request.path in _LONG_ROUTES or len(request.raw_query) > _LONG_QUERY:
                response = await asyncio.get_running_loop().run_in_executor(self._threads, self._respond, request)
            else:
                response = self._respond(request)
            return await self._send(http, request, response)
        except ConnectionError:
            # The client has gone.
            connection.force_close()
            return web.Response()
        finally:
            await self._discard_body(http, connection)
            connection.end()

    async def _discard_body(self, http: web.BaseRequest, connection: "_Connection") -> None:
        """Read what the client sends besides its request, or close the connection."""
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                while not http.content.at_eof():
                    await http.content.readany()
        except (OSError, RequestPayloadError, HttpProcessingError):
            # OSError includes the TimeoutError.
            connection.close()

    def _respond(self, request: Request) -> Response:
        if not self._answers_to(request.headers.get("host", "")):
            return self._refusal(request, HTTPStatus.MISDIRECTED_REQUEST, "not one of --host-names")
        try:
            return self.app.respond(request)
        except Exception:
            self.app.log.exception("unhandled exception")
            return self._refusal(request, HTTPStatus.BAD_GATEWAY, "unhandled exception", logging.ERROR)

    def _refusal(self, request: Request, status: HTTPStatus, reason: str, level: int = logging.WARNING) -> Response:
        log_request(self.app.log, request, AccessLogFields(status=status, level=level, reason=reason), 0)
        return Response(status, {"content-length": "0"})

    def _answers_to(self, host: str) -> bool:
        """Whether the Host header has one of the names, or an address, which no page can rebind."""
        names = self._settings.host_names
        name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
        return not names or name.lower() in names or _is_address(name.strip("[]"))

    async def _send(self, http: web.BaseRequest, request: Request, response: Response) -> web.StreamResponse:
        headers = {_capitalised(name): value for name, value in response.headers.items()}
        headers["Server"] = _SERVER
        if response.file is not None and request.method != "HEAD":
            return await self._stream(http, response.file, web.StreamResponse(status=response.status, headers=headers))
        sent = web.Response(status=response.status, headers=headers, body=response.body)
        await sent.prepare(http)
        await sent.write_eof()
        return sent

    async def _stream(self, http: web.BaseRequest, body: FileBody, sent: web.StreamResponse) -> web.StreamResponse:
        loop = asyncio.get_running_loop()
        try:
            file: IO[bytes] = await loop.run_in_executor(self._threads, _opened, body.path)
        except OSError as error:
            self.app.log.error("%s cannot be read: %s", body.path, error.strerror)
            return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE, headers={"Server": _SERVER, "Retry-After": "5"})
        with file:
            await sent.prepare(http)
            for piece in body.pieces:
                if not isinstance(piece, Span):
                    await sent.write(piece)
                    continue
                if http.transport is None:
                    raise ConnectionResetError
                if await loop.sendfile(http.transport, file, piece.start, piece.length) != piece.length:
                    # The header promises a length: closing is the only way to report it.
                    self.app.log.error("%s became shorter while it was sent", body.path)
                    raise ConnectionAbortedError
        await sent.write_eof()
        return sent


class _Server(web.Server):
    """aiohttp's server, whose connections are limited."""

    def __init__(self, server: HttpServer, connections: Connections) -> None:
        super().__init__(server.respond, request_factory=_begin)
        self.log = server.app.log
        self.limits = connections

    def __call__(self) -> RequestHandler:
        """The protocol of a new connection."""
        return _Connection(self, self.limits)


class _Connection(RequestHandler):
    """A client's connection."""

    def __init__(self, server: _Server, limits: Connections) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            # Ended by Connections.sweep.
            keepalive_timeout=3600,
            access_log=None,  # type: ignore[arg-type] # what web.Server passes by default
            max_line_size=_LINE_SIZE,
            max_field_size=_LINE_SIZE,
            auto_decompress=False,
        )
        self.address = ""
        self._limits = limits
        self._log = server.log
        self._head = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Refuse the connection if there are too many."""
        super().connection_made(transport)
        self.address = transport.get_extra_info("peername")[0]
        if not self._limits.opened(self):
            self.abort()
        sock = transport.get_extra_info("socket")
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _STALLED)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget the connection."""
        self._limits.closed(self)
        super().connection_lost(exc)

    def eof_received(self) -> bool:  # type: ignore[override] # asyncio lets it return whether to keep the connection
        """Complete the response to a client that has closed its half of the connection."""
        if self._limits.is_waiting(self):
            return False
        self.close()
        return True

    def data_received(self, data: bytes) -> None:
        """Limit the head of a request, which aiohttp limits by line only."""
        if not self._head:
            self._limits.head_begun(self)
        self._head += len(data)
        super().data_received(data)
        if self._head > HEAD_SIZE:
            # Once a request that is complete has begun.
            self._loop.call_soon(self._refuse_large_head)

    def begin(self) -> None:
        """A request's head is complete."""
        self._limits.request_begun(self)

    def end(self) -> None:
        """The response is sent."""
        self._head = 0
        self._limits.request_ended(self)

    def abort(self) -> None:
        """Close the connection without sending what is pending."""
        if self.transport is not None:
            self.transport.abort()

    def _refuse_large_head(self) -> None:
        if self._head > HEAD_SIZE and self.transport is not None and self._limits.head_too_large(self):
            self.transport.write(
                b"HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
            self.force_close()

    def handle_error(
        self,
        request: web.BaseRequest,  # noqa: ARG002 (of what is not HTTP nothing is known)
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002
    ) -> web.StreamResponse:
        """Refuse a request that is not valid HTTP; `message` may quote its query."""
        if status == HTTPStatus.INTERNAL_SERVER_ERROR:
            self._log.error("a response failed", exc_info=exc)
        phrase = HTTPStatus(status).phrase
        refused = Request("", "", "", {"x-forwarded-for": self.address})
        log_request(self._log, refused, AccessLogFields(status=status, level=logging.WARNING, reason=phrase), 0)
        response = web.Response(status=status, headers={"Server": _SERVER})
        response.force_close()
        return response

    def log_exception(self, *args: Any, **kw: Any) -> None:  # noqa: ARG002 (the base class's)
        """Log why a connection failed."""
        error = kw.get("exc_info")
        self._log.error("a connection failed", exc_info=error if isinstance(error, BaseException) else None)


def _begin(
    message: RawRequestMessage,
    payload: StreamReader,
    connection: RequestHandler,
    writer: AbstractStreamWriter,
    task: "asyncio.Task[None]",
) -> web.BaseRequest:
    cast(_Connection, connection).begin()
    return web.BaseRequest(message, payload, connection, writer, task, asyncio.get_running_loop())


def _request(http: web.BaseRequest, connection: _Connection) -> Request:
    target = _without_host(http.raw_path.partition("#")[0])
    path, _, query = target.partition("?")
    headers: dict[str, str] = {}
    for name, value in http.headers.items():
        headers.setdefault(name.lower(), value)
    if not headers.get("host"):
        host, port = cast(tuple[str, int], connection.sockname)[:2]
        headers["host"] = f"{host}:{port}"
    headers["x-forwarded-for"] = connection.address
    headers["x-forwarded-proto"] = "http"
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


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


async def _sweep(connections: Connections) -> None:
    while True:
        await asyncio.sleep(_SWEEP_INTERVAL)
        connections.sweep()
