"""A registry's blob storage, with the behaviour of GHCR's presigned URLs.

It refuses HEAD (405), `Authorization` (400) and expired addresses (403), and gives parts of a blob (Range).
"""

import os
import re
import socket
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

# The path of a blob below docker-registry's root directory, which is what its middleware `redirect` asks for.
_PATH = re.compile(r"/docker/registry/v2/blobs/sha256/[0-9a-f]{2}/([0-9a-f]{64})/data", re.ASCII)
_RANGE = re.compile(r"bytes=(\d+)-(\d*)", re.ASCII)


class BlobStorage(ThreadingHTTPServer):
    """Serves the blobs below docker-registry's root directory, on a free port of 127.0.0.1."""

    daemon_threads = True

    def __init__(self, root: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Asked)
        self.root = root
        # Another name than the registry's: some clients take another port for the same host, and send it their token.
        self.url = f"http://localhost:{self.server_port}"
        self._lock = threading.Lock()
        self._sent: list[str] = []
        self._expired: list[str] = []

    @property
    def sent(self) -> tuple[str, ...]:
        """The digests of the blobs that were given, whole or in part, in the order in which they were asked for."""
        with self._lock:
            return tuple(self._sent)

    def expire(self, digest: str) -> None:
        """Refuse the blob once, as if its address had expired; an address asked for after that is a new one."""
        with self._lock:
            self._expired.append(digest)

    def takes(self, digest: str) -> bool:
        """Whether a request for the blob is taken now; it is remembered."""
        with self._lock:
            if digest in self._expired:
                self._expired.remove(digest)
                return False
            self._sent.append(digest)
            return True

    def handle_error(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """Report what went wrong, but not that a client went away before the end of a blob."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Asked(BaseHTTPRequestHandler):
    """The requests of one connection."""

    server: BlobStorage
    protocol_version = "HTTP/1.1"
    timeout = 30.0

    def do_GET(self) -> None:
        found = _PATH.fullmatch(self.path)
        if self.headers.get("Authorization") is not None:
            self._refuse(HTTPStatus.BAD_REQUEST)
        elif found is None or not (self.server.root / self.path[1:]).is_file():
            self._refuse(HTTPStatus.NOT_FOUND)
        elif not self.server.takes(f"sha256:{found[1]}"):
            self._refuse(HTTPStatus.FORBIDDEN)
        else:
            self._send(self.server.root / self.path[1:])

    def do_HEAD(self) -> None:
        self._refuse(HTTPStatus.METHOD_NOT_ALLOWED)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the overridden method's word)
        """Say nothing."""

    def _refuse(self, status: HTTPStatus) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(self, path: Path) -> None:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            wanted = _RANGE.fullmatch(self.headers.get("Range", ""))
            start = int(wanted[1]) if wanted else 0
            end = max(start, min(int(wanted[2]) + 1, size)) if wanted and wanted[2] else size
            if wanted and start >= size:
                self.send_response(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
                self.send_header("Content-Range", f"bytes */{size}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(HTTPStatus.PARTIAL_CONTENT if wanted else HTTPStatus.OK)
            if wanted:
                self.send_header("Content-Range", f"bytes {start}-{end - 1}/{size}")
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Type", "application/octet-stream")
            self.send_header("Content-Length", str(end - start))
            self.end_headers()
            self.wfile.flush()
            if end > start:
                self.connection.sendfile(file, start, end - start)
