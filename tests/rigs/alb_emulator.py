"""An emulator of the load balancer (ALB): HTTP in, its event to a function, HTTP out.

It keeps the balancer's contract: responses of at most 1 MB, Content-Length computed from the body, 502 on an exception.
"""

import json
import logging
from base64 import b64decode, b64encode
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

RESPONSE_LIMIT = 1_000_000
"""The largest response that the balancer takes from a function, measured on the serialised JSON."""

_MAX_REQUEST_BODY = 1_000_000
_log = logging.getLogger(__name__)


class Function(Protocol):
    """What answers the balancer's events."""

    def handle(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """The response to the event."""


class ALBEmulator(ThreadingHTTPServer):
    """The balancer, with a thread for each connection."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 1024

    def __init__(self, port: int, function: Function) -> None:
        self.function = function
        super().__init__(("127.0.0.1", port), _Connection)


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
        """Log nothing."""

    def _respond(self) -> None:
        length = self.headers.get("content-length", "0").strip()
        chunked = self.headers.get("transfer-encoding") is not None
        if chunked or not (length.isascii() and length.isdigit()) or int(length) > _MAX_REQUEST_BODY:
            self.close_connection = True
            self._send(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"content-length": "0", "connection": "close"}, b"")
            return
        target = self.requestline.split()[1].encode("latin-1").decode("utf-8", "surrogateescape")
        path, _, query = target.partition("?")
        event = {
            "requestContext": {"elb": {"targetGroupArn": "local"}},
            "httpMethod": self.command,
            "path": path or "/",
            "multiValueQueryStringParameters": _parameters(query),
            "multiValueHeaders": self._forwarded(),
            "body": b64encode(self.rfile.read(int(length))).decode(),
            "isBase64Encoded": True,
        }
        try:
            response = self.server.function.handle(event)
            if len(json.dumps(response)) > RESPONSE_LIMIT:
                raise ValueError("the response is over the balancer's limit")
        except Exception:  # noqa: BLE001 (any of them is a 502)
            _log.exception("the function failed")
            self._send(HTTPStatus.BAD_GATEWAY, {"content-length": "0"}, b"")
            return
        headers = {name: values[0] for name, values in response["multiValueHeaders"].items()}
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
        # The balancer appends the address of its client.
        headers["x-forwarded-for"] = [", ".join([*headers.get("x-forwarded-for", []), self.client_address[0]])]
        headers["x-forwarded-proto"] = ["http"]
        headers["x-forwarded-port"] = [str(self.server.server_port)]
        return headers

    def _send(self, status: int, headers: Mapping[str, str], payload: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header("-".join(part.capitalize() for part in name.split("-")), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(payload)


def _parameters(query: str) -> dict[str, list[str]]:
    """The query parameters of the event: undecoded values by key, without empty pairs."""
    parameters: dict[str, list[str]] = {}
    for pair in query.split("&"):
        if pair:
            key, _, value = pair.partition("=")
            parameters.setdefault(key, []).append(value)
    return parameters
