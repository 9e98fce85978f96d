"""The addresses of an edge: http and https on 127.0.0.1, HTTP/1.1 with HTTP/1.0 for those that speak no other."""

import contextlib
import ssl
from collections.abc import Callable
from http import HTTPStatus
from socket import socket
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any

from tests.rigs.http_wire import Head, MalformedMessageError, copy_request_body, read_head
from tests.stack.cloudfront.messages import Request, Response, text_of


class Front(ThreadingTCPServer):
    """Serves what `respond` makes of requests and whether they have a body; with `tls` by https."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 1024

    def __init__(
        self, port: int, respond: Callable[[Request, bool], Response], tls: ssl.SSLContext | None = None
    ) -> None:
        self.respond = respond
        self.tls = tls
        super().__init__(("127.0.0.1", port), _Connection)

    def get_request(self) -> tuple[socket, Any]:
        """A connection; its handshake is made in its own thread."""
        connection, address = super().get_request()
        if self.tls:
            connection = self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of viewers that go away."""


class _Connection(StreamRequestHandler):
    server: Front
    timeout = 120
    disable_nagle_algorithm = True

    def handle(self) -> None:
        """Respond until one of both ends the connection."""
        while (head := self._head()) is not None:
            words = head.start.split(b" ")
            if len(words) != 3 or head.field("host") is None:
                self._send(head, Response(400, {"server": "CloudFront", "content-length": "0"}), closes=True)
                return
            has_body = head.field("transfer-encoding") is not None or head.field("content-length") not in (None, "0")
            copy_request_body(head, self.rfile, lambda piece: None)
            target = text_of(words[1])
            path, _, query = target.partition("?")
            request = Request(
                head.method,
                path or "/",
                query,
                tuple((text_of(name).lower(), text_of(value)) for name, value in head.fields),
                self.server.tls is not None,
                self.client_address[0],
            )
            response = self.server.respond(request, has_body)
            # Too much was sent, and what follows is not read.
            closes = head.closes() or response.status in (413, 414)
            self._send(head, response, closes=closes)
            if closes:
                return

    def _head(self) -> Head | None:
        try:
            return read_head(self.rfile)
        except (MalformedMessageError, OSError):
            return None

    def _send(self, head: Head, response: Response, *, closes: bool) -> None:
        headers = dict(response.headers)
        bodiless = head.method == "HEAD" or response.status == 304
        if response.status == 304:
            headers.pop("content-length", None)
        elif response.body or not bodiless:
            headers["content-length"] = str(len(response.body))
        headers["connection"] = "close" if closes else "keep-alive"
        phrase = HTTPStatus(response.status).phrase
        lines = [
            f"HTTP/1.1 {response.status} {phrase}",
            *(f"{_shown(name)}: {value}" for name, value in headers.items()),
        ]
        with contextlib.suppress(OSError):
            self.wfile.write("\r\n".join([*lines, "", ""]).encode() + (b"" if bodiless else response.body))


def _shown(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("-"))
