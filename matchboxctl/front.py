"""A stand-in for the load balancer: HTTP in, the balancer's event to the deployed app, HTTP out.

It keeps the balancer's contract: answers of at most 1 MB, Content-Length computed from the body, 502 on an exception.
In directory mode it streams what is large itself: assets from signed addresses, and what an answer of the app names.
"""

import json
import logging
import secrets
import socket
import traceback
from base64 import b64decode, b64encode
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, BinaryIO, NamedTuple

from boot_api.alb import ANSWER_LIMIT, FRONT_HEADER
from boot_api.app import App
from matchbox import content
from matchbox.errors import StoreUnavailableError
from matchbox.stores import AssetFile
from matchbox.url_path import unescape
from matchboxctl.answer_relay import AnswerRelay
from matchboxctl.asset_files import OWN, SIGNED, AssetDirectory, SignedAddresses
from matchboxctl.release_directory import ReleaseDirectory

_log = logging.getLogger("boot_api.front")
_REQUEST_LIMIT = 1_000_000


class Streams(NamedTuple):
    """What the front end of directory mode streams itself."""

    addresses: SignedAddresses
    assets: AssetDirectory
    releases: ReleaseDirectory
    answers: AnswerRelay

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
        """The app logs its requests; this is for what never reaches it."""
        _log.debug(format, *args)

    def _answer(self) -> None:
        try:
            target = self.requestline.split()[1].encode("latin-1").decode("utf-8", "surrogateescape")
            path, _, query = _without_host(target).partition("?")
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
            return None
        return self.rfile.read(int(length))

    def _app(self, path: str, query: str, body: bytes) -> None:
        event = {
            "requestContext": {"elb": {"targetGroupArn": "local"}},
            "httpMethod": self.command,
            "path": path or "/",
            "multiValueQueryStringParameters": _parameters(query),
            "multiValueHeaders": self._forwarded(),
            "body": b64encode(body).decode(),
            "isBase64Encoded": True,
        }
        try:
            answer = self.server.app.handle(event)
            size = len(json.dumps(answer))
        except Exception:  # noqa: BLE001 (the balancer's 502)
            _log.error("unhandled exception: %s", traceback.format_exc())
            self._send(HTTPStatus.BAD_GATEWAY, {"content-length": "0"}, b"")
            return
        if size > ANSWER_LIMIT:
            _log.error("an answer of %d bytes is over the balancer's limit", size)
            self._send(HTTPStatus.BAD_GATEWAY, {"content-length": "0"}, b"")
            return
        headers = {name: values[0] for name, values in answer["multiValueHeaders"].items()}
        front = headers.pop(FRONT_HEADER, None)
        if front is not None and self.server.streams is not None:
            self._stream(self.server.streams, front)
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
        if self.command != "GET" or name is None or not streams.addresses.verified(name, query):
            self._send(HTTPStatus.FORBIDDEN, {"content-length": "0"}, b"")
            return
        self._stream_asset(streams, name)

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
            _log.error("asset %r: %s", name, error)
            self._send(HTTPStatus.SERVICE_UNAVAILABLE, {"content-length": "0", "retry-after": "5"}, b"")
            return
        if known is None or file is None:
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
            self.close_connection = True

    def _send(self, status: int, headers: Mapping[str, str], payload: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            # GRUB looks for `Content-Length` in this very case.
            self.send_header("-".join(part.capitalize() for part in name.split("-")), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(payload)


def _parameters(query: str) -> dict[str, list[str]]:
    """The query as the balancer's event has it: undecoded, values by key, without empty pairs."""
    parameters: dict[str, list[str]] = {}
    for pair in query.split("&"):
        if pair:
            key, _, value = pair.partition("=")
            parameters.setdefault(key, []).append(value)
    return parameters


def _without_host(target: str) -> str:
    """The target in origin form: some clients send `http://host/path`."""
    scheme, separator, rest = target.partition("://")
    if separator and scheme.lower() in ("http", "https"):
        host_end = min((at for at in (rest.find("/"), rest.find("?")) if at >= 0), default=len(rest))
        return rest[host_end:] or "/"
    return target
