"""A stand-in for the load balancer: HTTP in, the balancer's event to the deployed app, HTTP out.

It keeps the balancer's contract: answers of at most 1 MB, Content-Length computed from the body, 502 on an exception.
In directory mode it streams what is large itself: assets from signed addresses, and what an answer of the app names.
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
from lambda_matchbox.web.alb import ACCEL_REDIRECT, ANSWER_LIMIT
from lambda_matchbox.web.app import App
from lambda_matchbox.web.failures import answer_of
from lambda_matchbox.web.request_log import Outcome, log_request
from lambda_matchbox.web.routes import Account
from matchboxctl.directory.assets import OWN, SIGNED, AssetDirectory, SignedAddresses
from matchboxctl.directory.releases import DirectoryReleases
from matchboxctl.serve.request_line import parameters, path_and_query
from matchboxctl.serve.response_relay import ResponseRelay

_REQUEST_LIMIT = 1_000_000


class Streams(NamedTuple):
    """What the front end of directory mode streams itself."""

    addresses: SignedAddresses
    assets: AssetDirectory
    releases: DirectoryReleases
    answers: ResponseRelay

    def named(self, name: str) -> tuple[AssetDirectory, str] | None:
        """Where a name in a signed address leads; None for a name of nothing."""
        if name.startswith(OWN):
            return self.assets, name.removeprefix(OWN)
        return self.releases.named(name)


class Front(ThreadingHTTPServer):
    """The HTTP server. A thread for each connection, so that a slow reader delays nobody.

    `streams` is None in store mode, where the bucket serves what is large.
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
        """Bind without asking DNS for the host's name."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        host, port = self.socket.getsockname()[:2]
        self.server_address = (host, port)
        self.server_name, self.server_port = host, port

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 (the base class's names)
        """Log why a connection is given up; one that the client cut needs no line."""
        error = sys.exception()
        if not isinstance(error, ConnectionError):
            self.app.log.error("a connection is given up", exc_info=error)


class _Connection(BaseHTTPRequestHandler):
    server: Front
    protocol_version = "HTTP/1.1"
    timeout = 120
    # Small answers leave at once.
    disable_nagle_algorithm = True

    def __getattr__(self, name: str) -> Any:
        # Any method is answered, as by the balancer.
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        """Nothing: these lines would hold queries, with signatures and labels."""

    def handle_one_request(self) -> None:
        """Forget the connection's request before, or the log would tell of it for one that cannot be read."""
        self._begin = 0.0
        self._status = 0
        self._reason = ""
        self.requestline, self.command, self.headers = "", "", Message()
        super().handle_one_request()

    def parse_request(self) -> bool:
        """Begin to measure: before its first line came, there was no request."""
        self._begin = time.perf_counter()
        return super().parse_request()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is no request that the balancer would hand on."""
        super().send_error(code, message, explain)
        # `message` may quote the request's query.
        self._status, self._reason = code, HTTPStatus(code).phrase
        self._log(logging.WARNING)

    def _log(self, level: int, route: str = "") -> None:
        """The line of a request that the app does not log."""
        words = self.requestline.split()
        path = path_and_query(words[1])[0] if len(words) > 1 else ""
        headers = {name: values[0] for name, values in self._forwarded().items()}
        log_request(
            self.server.app.log,
            Request(self.command or "", path, "", headers),
            Account(route),
            Outcome(self._status, level, self._reason),
            time.perf_counter() - self._begin if self._begin else 0,
        )

    def _answer(self) -> None:
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
        """The request's body; None where it was refused."""
        length = self.headers.get("content-length", "0").strip()
        chunked = self.headers.get("transfer-encoding") is not None
        if chunked or not (length.isascii() and length.isdigit()) or int(length) > _REQUEST_LIMIT:
            self.close_connection = True
            self._send(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"content-length": "0", "connection": "close"}, b"")
            self._reason = f"the body is chunked or over {_REQUEST_LIMIT} bytes"
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
            answer = self.server.app.handle(event)
            size = len(json.dumps(answer))
        except Exception:
            # The balancer's 502.
            self.server.app.log.exception("unhandled exception")
            self._send(HTTPStatus.BAD_GATEWAY, {"content-length": "0"}, b"")
            self._reason = "unhandled exception"
            self._log(logging.ERROR)
            return
        if size > ANSWER_LIMIT:
            self.server.app.log.error("an answer of %d bytes is over the balancer's limit", size)
            self._send(HTTPStatus.BAD_GATEWAY, {"content-length": "0"}, b"")
            return
        headers = {name: values[0] for name, values in answer["multiValueHeaders"].items()}
        front = headers.pop(ACCEL_REDIRECT, None)
        if front is not None and self.server.streams is not None:
            self._stream(self.server.streams, front)
            if self._reason:
                # The request's own line was written by the app, before this.
                self.server.app.log.error(self._reason)
            return
        text = answer["body"]
        payload = b64decode(text) if answer["isBase64Encoded"] else text.encode()
        if payload or self.command != "HEAD":
            headers["content-length"] = str(len(payload))
        if answer["statusCode"] == HTTPStatus.NOT_MODIFIED:
            headers.pop("content-length", None)
        self._send(answer["statusCode"], headers, payload)

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
        """As S3: a signature is for GET alone."""
        name = unescape(path.removeprefix(SIGNED))
        try:
            if self.command != "GET" or name is None or not streams.addresses.verified(name, query):
                self._reason = "this is no GET of an address that was signed here, or it has expired"
                self._send(HTTPStatus.FORBIDDEN, {"content-length": "0"}, b"")
            else:
                self._stream_asset(streams, name)
        except (ConnectionError, TimeoutError):
            self._reason = "the client did not take all of it"
            raise
        finally:
            failed = self._status >= HTTPStatus.INTERNAL_SERVER_ERROR
            self._log(logging.ERROR if failed else logging.WARNING if self._reason else logging.INFO, SIGNED)

    def _stream(self, streams: Streams, front: str) -> None:
        """What an answer of the app names: an answer that waits, or the signed address of an asset."""
        answer = streams.answers.take(front)
        if answer is None:
            self._stream_asset(streams, unescape(front.partition("?")[0].removeprefix(SIGNED)) or "")
            return
        body, kind = answer
        reply = self._reply(AssetFile(len(body), kind, etag=None, modified=None))
        self._send(reply.status, reply.headers, content.assemble(reply.body, body))

    def _stream_asset(self, streams: Streams, name: str) -> None:
        place = streams.named(name)
        try:
            known = None if place is None else place[0].file(place[1])
            file = None if place is None or known is None else place[0].path(place[1]).open("rb")
        except (OSError, StoreUnavailableError) as error:
            why = f"asset {name!r} cannot be read: {error.strerror}" if isinstance(error, OSError) else str(error)
            self._reason = why
            away = answer_of(StoreUnavailableError(why))
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
        # The header has promised a length: a file that has become shorter can only be told by closing.
        if self.connection.sendfile(file, span.start, span.length) != span.length:
            self._reason = "the file became shorter while it was sent"
            self.close_connection = True

    def _send(self, status: int, headers: Mapping[str, str], payload: bytes) -> None:
        self._status = status
        self.send_response(status)
        for name, value in headers.items():
            # GRUB looks for `Content-Length` in this very case.
            self.send_header("-".join(part.capitalize() for part in name.split("-")), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(payload)
