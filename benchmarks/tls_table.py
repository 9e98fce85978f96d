"""A table that responds over TLS as moto did once: so the client's time counts, not moto's."""

import ssl
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import certifi

from tests.rigs.service import Service
from tests.support.certificates import Authority
from tests.support.server_threads import in_thread

_CONTENT_TYPE = "application/x-amz-json-1.0"


@contextmanager
def tls_table(service: Service, scratch: Path) -> Iterator[dict[str, str]]:
    """The environment of a program that calls it, with as many authorities to read as on any machine."""
    responses: dict[bytes, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if body not in responses:
                names = ("X-Amz-Target", "X-Amz-Date", "Authorization")
                headers = {name: self.headers[name] for name in names} | {"Content-Type": _CONTENT_TYPE}
                with urllib.request.urlopen(urllib.request.Request(service.endpoint, body, headers)) as response:
                    responses[body] = response.read()
            self.send_response(200)
            self.send_header("Content-Type", _CONTENT_TYPE)
            self.send_header("Content-Length", str(len(responses[body])))
            self.end_headers()
            self.wfile.write(responses[body])

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    authority = Authority()
    issued = authority.issue("localhost", ["localhost"])
    trusted, certificate, key = (scratch / f"{name}.pem" for name in ("trusted", "certificate", "key"))
    trusted.write_bytes(Path(certifi.where()).read_bytes() + authority.certificate)
    certificate.write_bytes(issued.certificate)
    key.write_bytes(issued.key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with in_thread(server):
        yield {
            "AWS_ENDPOINT_URL_DYNAMODB": f"https://localhost:{server.server_port}",
            "AWS_CA_BUNDLE": str(trusted),
            "SSL_CERT_FILE": str(trusted),
        }
