"""A registry like GHCR (tokens, redirects of blobs to another port) that records requests and fails on demand."""

import contextlib
import http.server
import ssl
from collections.abc import Iterator

from tests.support.faulty_registry import Fault, FaultyRegistry, RecordedRequest, Response
from tests.support.server_threads import in_thread


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    registry: FaultyRegistry
    server_name: str

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        response, fault = self.registry.respond(self.server_name, self.path, headers)
        server = "token" if self.path.startswith("/token") else self.server_name
        self.registry.requests.append(RecordedRequest(server, self.command, self.path, headers, response.status))
        fault = fault or Fault("")
        self.close_connection = fault.cut_after is not None or fault.silent or bool(fault.pause or fault.head_pause)
        with contextlib.suppress(OSError):
            if not fault.silent:
                self._send(response, fault)

    def _send(self, response: Response, fault: Fault) -> None:
        chunked = self.registry.chunked and response.status in (200, 206)
        sent = dict(response.headers)
        sent |= {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": str(len(response.body))}
        head = f"HTTP/1.1 {response.status} X\r\n" + "".join(f"{name}: {value}\r\n" for name, value in sent.items())
        self._drip(f"{head}\r\n".encode(), fault.head_pause)
        body = response.body if fault.cut_after is None else response.body[: fault.cut_after]
        if chunked:
            body = b"%x\r\n%b\r\n" % (len(body), body) + (b"0\r\n\r\n" if fault.cut_after is None else b"")
        self._drip(body, fault.pause)

    def _drip(self, data: bytes, pause: float) -> None:
        if not pause:
            self.wfile.write(data)
            return
        for position in range(len(data)):
            self.wfile.write(data[position : position + 1])
            if self.registry.stopped.wait(pause):
                break

    def log_message(self, *arguments: object) -> None:
        """Log nothing."""


class _Server(http.server.ThreadingHTTPServer):
    # Dripping responses end when the registry stops.
    daemon_threads = False

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore clients that disconnect."""


@contextlib.contextmanager
def faulty_registry(tls: ssl.SSLContext | None = None) -> Iterator[FaultyRegistry]:
    """A running registry; with `tls` it and its storage use TLS."""
    registry = FaultyRegistry()
    with _serve(registry, "registry", tls) as port, _serve(registry, "storage", tls) as storage_port:
        registry.host = f"127.0.0.1:{port}"
        registry.storage = f"http://127.0.0.1:{storage_port}"
        try:
            yield registry
        finally:
            registry.stopped.set()


@contextlib.contextmanager
def _serve(registry: FaultyRegistry, name: str, tls: ssl.SSLContext | None) -> Iterator[int]:
    handler = type("Handler", (_Handler,), {"registry": registry, "server_name": name, "timeout": 5})
    server = _Server(("127.0.0.1", 0), handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    with in_thread(server):
        yield server.server_port
