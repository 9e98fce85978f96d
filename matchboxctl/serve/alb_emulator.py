"""An emulator of the load balancer (ALB): HTTP in, its event to the deployed app, HTTP out.

It keeps the balancer's contract: responses of at most 1 MB, Content-Length computed from the body, 502 on an exception.
In directory mode it streams large bodies itself: assets at signed addresses, and what a response names for streaming.
"""

import json
import logging
import secrets
import socket
import sys
import time
from base64 import b64decode, b64encode
from collections.abc import Mapping
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, BinaryIO, NamedTuple

from lambda_matchbox.assets.stores import AssetFile
from lambda_matchbox.errors import StoreUnavailableError
from lambda_matchbox.golang.http import content
from lambda_matchbox.golang.http.paths import unescape
from lambda_matchbox.http import Request
from lambda_matchbox.web.access_log import AccessLogFields, log_request
from lambda_matchbox.web.alb import ACCEL_REDIRECT, RESPONSE_LIMIT
from lambda_matchbox.web.app import App
from lambda_matchbox.web.failures import error_response
from matchboxctl.directory.assets import OWN, SIGNED, AssetDirectory, SignedAddresses
from matchboxctl.directory.releases import DirectoryReleases
from matchboxctl.serve.request_line import parameters, path_and_query
from matchboxctl.serve.response_relay import ResponseRelay

_MAX_REQUEST_BODY = 1_000_000


class Streams(NamedTuple):
    """What the emulator streams itself in directory mode."""

    addresses: SignedAddresses
    assets: AssetDirectory
    releases: DirectoryReleases
    responses: ResponseRelay

    def locate(self, name: str) -> tuple[AssetDirectory, str] | None:
        """The directory and path for a name in a signed address, or None."""
        if name.startswith(OWN):
            return self.assets, name.removeprefix(OWN)
        return self.releases.named(name)


class ALBEmulator(ThreadingHTTPServer):
    """The HTTP server. A thread for each connection, so that a slow reader delays no other.

    `streams` is None in store mode, where the bucket serves large bodies.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 1024

    def __init__(self, address: tuple[str, int], app: App, streams: Streams | None) -> None:
        self.app = app
        self.streams = streams
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, _Connection)

    def server_bind(self) -> None:
        """Bind without a DNS query for the host's name."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        host, port = self.socket.getsockname()[:2]
        self.server_address = (host, port)
        self.server_name, self.server_port = host, port

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 (the base class's names)
        """Log why a connection failed, unless the client closed it."""
        error = sys.exception()
        if not isinstance(error, ConnectionError):
            self.app.log.error("a connection failed", exc_info=error)


class _Connection(BaseHTTPRequestHandler):
    server: ALBEmulator
    protocol_version = "HTTP/1.1"
    timeout = 120
    # Small responses are sent at once.
    disable_nagle_algorithm = True

    def __getattr__(self, name: str) -> Any:
        # Any method is accepted, as by the balancer.
        if name.startswith("do_"):
            return self._respond
        raise AttributeError(name)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        """Log nothing: these lines would contain queries, with signatures and labels."""

    def handle_one_request(self) -> None:
        """Reset the state: the log of an unreadable request must not show the connection's previous one."""
        self._begin = 0.0
        self._status = 0
        self._reason = ""
        self.requestline, self.command, self.headers = "", "", Message()
        super().handle_one_request()

    def parse_request(self) -> bool:
        """Start the time: a request begins with its first line."""
        self._begin = time.perf_counter()
        return super().parse_request()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse a request that the balancer would not pass on."""
        super().send_error(code, message, explain)
        # `message` may quote the request's query.
        self._status, self._reason = code, HTTPStatus(code).phrase
        self._log(logging.WARNING)

    def _log(self, level: int, route: str = "") -> None:
        """Log a request that does not reach the app."""
        words = self.requestline.split()
        path = path_and_query(words[1])[0] if len(words) > 1 else ""
        headers = {name: values[0] for name, values in self._forwarded().items()}
        log_request(
            self.server.app.log,
            Request(self.command or "", path, "", headers),
            AccessLogFields(route, status=self._status, level=level, reason=self._reason),
            time.perf_counter() - self._begin if self._begin else 0,
        )

    def _respond(self) -> None:
        try:
            path, query = path_and_query(self.requestline.split()[1])
            body = self._body()
            if body is None:
                return
            streams = self.server.streams
            if streams is not None and path.startswith(SIGNED):
                self._signed(streams, path, query)
            else:
                self._app(path, query, body)
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def _body(self) -> bytes | None:
        """The request's body; None if it was refused."""
        length = self.headers.get("content-length", "0").strip()
        chunked = self.headers.get("transfer-encoding") is not None
        if chunked or not (length.isascii() and length.isdigit()) or int(length) > _MAX_REQUEST_BODY:
            self.close_connection = True
            self._send(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"content-length": "0", "connection": "close"}, b"")
            self._reason = f"the body is chunked or over {_MAX_REQUEST_BODY} bytes"
            self._log(logging.WARNING)
            return None
        return self.rfile.read(int(length))

    def _app(self, path: str, query: str, body: bytes) -> None:
        event = {
            "requestContext": {"elb": {"targetGroupArn": "local"}},
            "httpMethod": self.command,
            "path": path or "/",
            "multiValueQueryStringParameters": parameters(query),
            "multiValueHeaders": self._forwarded(),
            "body": b64encode(body).decode(),
            "isBase64Encoded": True,
        }
        try:
            response = self.server.app.handle(event)
            size = len(json.dumps(response))
        except Exception:
            # The balancer's 502.
            self.server.app.log.exception("unhandled exception")
            self._send(HTTPStatus.BAD_GATEWAY, {"content-length": "0"}, b"")
            self._reason = "unhandled exception"
            self._log(logging.ERROR)
            return
        if size > RESPONSE_LIMIT:
            self.server.app.log.error("a response of %d bytes is over the balancer's limit", size)
            self._send(HTTPStatus.BAD_GATEWAY, {"content-length": "0"}, b"")
            return
        headers = {name: values[0] for name, values in response["multiValueHeaders"].items()}
        streamed = headers.pop(ACCEL_REDIRECT, None)
        if streamed is not None and self.server.streams is not None:
            self._stream(self.server.streams, streamed)
            if self._reason:
                # The app has already written the request's line.
                self.server.app.log.error(self._reason)
            return
        text = response["body"]
        payload = b64decode(text) if response["isBase64Encoded"] else text.encode()
        if payload or self.command != "HEAD":
            headers["content-length"] = str(len(payload))
        if response["statusCode"] == HTTPStatus.NOT_MODIFIED:
            headers.pop("content-length", None)
        self._send(response["statusCode"], headers, payload)

    def _forwarded(self) -> dict[str, list[str]]:
        headers: dict[str, list[str]] = {}
        for name, value in self.headers.items():
            headers.setdefault(name.lower(), []).append(value)
        if "host" not in headers:
            host, port = self.connection.getsockname()[:2]
            headers["host"] = [f"{host}:{port}"]
        headers["x-forwarded-for"] = [self.client_address[0]]
        headers["x-forwarded-proto"] = ["http"]
        headers["x-forwarded-port"] = [str(self.server.server_port)]
        return headers

    def _signed(self, streams: Streams, path: str, query: str) -> None:
        """Serve a signed address, as S3 does: a signature is for GET only."""
        name = unescape(path.removeprefix(SIGNED))
        try:
            if self.command != "GET" or name is None or not streams.addresses.verified(name, query):
                self._reason = "not a GET of an address signed by this server, or expired"
                self._send(HTTPStatus.FORBIDDEN, {"content-length": "0"}, b"")
            else:
                self._stream_asset(streams, name)
        except (ConnectionError, TimeoutError):
            self._reason = "the client closed the connection early"
            raise
        finally:
            failed = self._status >= HTTPStatus.INTERNAL_SERVER_ERROR
            self._log(logging.ERROR if failed else logging.WARNING if self._reason else logging.INFO, SIGNED)

    def _stream(self, streams: Streams, name: str) -> None:
        """Stream what the app's response names: a stored body, or the signed address of an asset."""
        stored = streams.responses.take(name)
        if stored is None:
            self._stream_asset(streams, unescape(name.partition("?")[0].removeprefix(SIGNED)) or "")
            return
        body, kind = stored
        reply = self._reply(AssetFile(len(body), kind, etag=None, modified=None))
        self._send(reply.status, reply.headers, content.assemble(reply.body, body))

    def _stream_asset(self, streams: Streams, name: str) -> None:
        found = streams.locate(name)
        try:
            known = None if found is None else found[0].file(found[1])
            file = None if found is None or known is None else found[0].path(found[1]).open("rb")
        except (OSError, StoreUnavailableError) as error:
            why = f"asset {name!r} cannot be read: {error.strerror}" if isinstance(error, OSError) else str(error)
            self._reason = why
            away = error_response(StoreUnavailableError(why))
            self._send(away.status, away.headers, away.body)
            return
        if known is None or file is None:
            self._reason = f"no asset {name!r}"
            self._send(HTTPStatus.NOT_FOUND, {"content-length": "0"}, b"")
            return
        with file:
            reply = self._reply(known)
            self._send(reply.status, reply.headers, b"")
            for piece in reply.body:
                if isinstance(piece, bytes):
                    self.wfile.write(piece)
                else:
                    self._send_file(file, piece)

    def _reply(self, known: AssetFile) -> content.Reply:
        return content.serve(
            self.command,
            dict(self.headers.items()),
            size=known.size,
            content_type=known.content_type,
            boundary=secrets.token_hex(30),
            etag=known.etag,
            modified=known.modified,
        )

    def _send_file(self, file: BinaryIO, span: content.Span) -> None:
        # The header promises a length: closing is the only way to report a file that has become shorter.
        if self.connection.sendfile(file, span.start, span.length) != span.length:
            self._reason = "the file became shorter while it was sent"
            self.close_connection = True

    def _send(self, status: int, headers: Mapping[str, str], payload: bytes) -> None:
        self._status = status
        self.send_response(status)
        for name, value in headers.items():
            # GRUB matches `Content-Length` in this case only.
            self.send_header("-".join(part.capitalize() for part in name.split("-")), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(payload)
