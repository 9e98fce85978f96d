"""A client's connection within the limits of `connections`, as aiohttp's server makes it."""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Any, TypeAlias, cast

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestHandler, RequestPayloadError

from lambda_matchbox.http import Request
from lambda_matchbox.web.access_log import AccessLogFields, Log, log_request
from matchboxctl.serve.connections import HEAD_SIZE, Connections

SERVER = "lambda-matchbox"
"""The value of the header Server."""

_LINE_SIZE = 16_384
_READ_SIZE = 16_384
_HALF_CLOSED_SECONDS = 0.05
_BODY_SECONDS = 10.0
_STALLED = 120_000
"""Milliseconds without progress after which the kernel ends a connection (tcp(7), TCP_USER_TIMEOUT)."""

_Handler: TypeAlias = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class LimitedServer(web.Server):
    """aiohttp's server, whose connections are limited."""

    def __init__(self, respond: _Handler, connections: Connections, log: Log) -> None:
        super().__init__(respond, request_factory=_begin)
        self.log = log
        self.limits = connections

    def __call__(self) -> RequestHandler:
        """The protocol of a new connection."""
        return self.connection("http")

    def connection(self, scheme: str) -> "LimitedConnection":
        """A connection that is not made yet."""
        return LimitedConnection(self, self.limits, scheme)


class LimitedConnection(RequestHandler):
    """A client's connection; the one below it has its bytes as they are, with TLS."""

    def __init__(self, server: LimitedServer, limits: Connections, scheme: str) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            # Ended by Connections.sweep.
            keepalive_timeout=3600,
            read_bufsize=4096,
            access_log=None,  # type: ignore[arg-type] # what web.Server passes by default
            max_line_size=_LINE_SIZE,
            max_field_size=_LINE_SIZE,
            auto_decompress=False,
        )
        self.scheme = scheme
        self.address = self.own_address = ""
        self._below: asyncio.Transport | None = None
        self._limits = limits
        self._log = server.log
        self._head = 0
        self._body = False
        self._half_closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to read requests."""
        super().connection_made(transport)
        if self.scheme == "http":
            # asyncio reads up to 256 KB at once, which wait while a response is sent.
            transport.max_size = _READ_SIZE  # type: ignore[attr-defined]
            self.accepted(transport)

    def accepted(self, transport: asyncio.BaseTransport) -> bool:
        """Count the connection, and refuse it if there are too many."""
        self._below = cast(asyncio.Transport, transport)
        # None if the client has gone already.
        self.address = (transport.get_extra_info("peername") or ("",))[0]
        host, port = (transport.get_extra_info("sockname") or ("", 0))[:2]
        self.own_address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        if not self._limits.opened(self):
            self.abort()
            return False
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            with suppress(OSError):
                transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _STALLED)
        return True

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget the connection."""
        self.forgotten()
        super().connection_lost(exc)

    def forgotten(self) -> None:
        """The connection does not count any more."""
        self._limits.closed(self)

    def eof_received(self) -> bool:  # type: ignore[override] # asyncio lets it return whether to keep the connection
        """Complete the response to a client that has closed its half of the connection; TLS has no halves."""
        self._half_closed = True
        return self.scheme == "http" and not self._limits.is_waiting(self)

    def data_received(self, data: bytes) -> None:
        """Limit the head of a request, which aiohttp limits by line only."""
        if not self._body:
            self._head += len(data)
        super().data_received(data)
        if self._head > HEAD_SIZE:
            # Later, since the request may be complete: then it begins before.
            self._loop.call_soon(self._refuse_large_head)

    def begin(self) -> None:
        """A request's head is complete."""
        self._limits.request_begun(self)

    async def end(self, body: StreamReader) -> None:
        """The response is sent: discard the body of the request, whose end may never come."""
        self._head = 0
        self._limits.request_ended(self)
        if self._half_closed:
            # Unless another request was sent before.
            self._loop.call_later(_HALF_CLOSED_SECONDS, self._close_waiting)
        if body.at_eof() or self._half_closed or self.transport is None:
            return
        self._body = True
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                while not body.at_eof():
                    await body.readany()
        except (OSError, RuntimeError, RequestPayloadError, HttpProcessingError):
            # It never ends (a TimeoutError), or the client has gone.
            self.close()
        self._body = False

    def abort(self) -> None:
        """Close the connection without sending what is pending."""
        if self._below is not None:
            self._below.abort()

    def _close_waiting(self) -> None:
        if self._limits.is_waiting(self):
            self.force_close()

    def _refuse_large_head(self) -> None:
        if self._head > HEAD_SIZE and self.transport is not None and self._limits.head_too_large(self):
            self.transport.write(
                b"HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
            self.force_close()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002
    ) -> web.StreamResponse:
        """Refuse a request that is not valid HTTP; `message` may quote its query."""
        if request.writer.output_size > 0:
            # Part of a response is sent: another one would be taken for its body.
            raise ConnectionError
        if status == HTTPStatus.INTERNAL_SERVER_ERROR:
            self._log.error("a response failed", exc_info=exc)
        phrase = HTTPStatus(status).phrase
        refused = Request("", "", "", {"x-forwarded-for": self.address})
        log_request(self._log, refused, AccessLogFields(status=status, level=logging.WARNING, reason=phrase), 0)
        response = web.Response(status=status, headers={"Server": SERVER})
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
    cast(LimitedConnection, connection).begin()
    return web.BaseRequest(message, payload, connection, writer, task, task.get_loop())
