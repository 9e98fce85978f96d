"""A connection that speaks HTTP/1.1 (RFC 9112), for one request after the other.

http.client reads the head of a response with the package email. Importing both takes a sixth of a cold function's
start, and reading a head so takes as long as signing a request.
"""

import select
import socket
import ssl
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, TypeAlias

from lambda_matchbox.http_reasons import IncompleteResponseError, ResponseError

_PIECE = 65536
_MAX_HEAD = 65536
_MAX_LINE = 1024


Body: TypeAlias = bytes | Iterable[bytes]
"""Bytes, or their pieces, anew for each attempt: those have a header Content-Length."""


class HttpResponse(NamedTuple):
    """A service's response; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class HttpConnection:
    """A connection to `host`, with its port if that is not the scheme's. Raises OSError.

    `tls` is None for http. `check` may refuse the connected peer, before anything is sent.
    """

    def __init__(
        self,
        host: str,
        timeout: float,
        tls: ssl.SSLContext | None,
        check: Callable[[socket.socket], object] = lambda _: None,
    ) -> None:
        name, colon, port = host.rpartition(":")
        if not colon or port.endswith("]"):
            name, port = host, "80" if tls is None else "443"
        name = name.strip("[]")
        self._host = host
        self._buffer = bytearray()
        # Of the body: the bytes read, and those left in it or in a chunk; None where the connection's end ends it.
        self._read = 0
        self._left: int | None = 0
        self._is_chunked = False
        self._lasts = True
        self.sock = socket.create_connection((name, int(port)), timeout)
        try:
            check(self.sock)
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if tls is not None:
                self.sock = tls.wrap_socket(self.sock, server_hostname=name)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close it."""
        self._lasts = False
        self.sock.close()

    def send(self, method: str, target: str, headers: Mapping[str, str], body: Body | None, timeout: float) -> None:
        """Send a request. Raises OSError, and ValueError for what would be more than one line."""
        lines = [f"{method} {target} HTTP/1.1"]
        given = {"Host": self._host, "Accept-Encoding": "identity", **headers}
        if body is None and method in ("POST", "PUT"):
            body = b""
        if isinstance(body, bytes):
            given["Content-Length"] = str(len(body))
        lines += [f"{name}: {value}" for name, value in given.items()]
        if " " in target or any("\r" in line or "\n" in line for line in lines):
            raise ValueError(f"the request for {target!r} has a line too many")
        self.sock.settimeout(timeout)
        head = "\r\n".join([*lines, "\r\n"]).encode("latin-1")
        if isinstance(body, bytes) and len(body) <= _PIECE:
            # In one packet, mostly.
            self.sock.sendall(head + body)
            return
        self.sock.sendall(head)
        for piece in (body,) if isinstance(body, bytes) else body or ():
            self.sock.sendall(piece)

    def response(self, method: str, timeout: Callable[[], float]) -> HttpResponse:
        """The response to a request of this method; each piece may take as long as `timeout` says.

        Raises OSError and ResponseError.
        """
        status, headers = self.begin(method, timeout)
        return HttpResponse(status, headers, b"".join(iter(lambda: self.piece(_PIECE, timeout), b"")))

    def begin(self, method: str, timeout: Callable[[], float]) -> tuple[int, dict[str, str]]:
        """Status and headers of the response; `piece` reads its body. Raises OSError and ResponseError."""
        self._read, self._left, self._is_chunked = 0, 0, False
        status, headers, self._lasts = self._head(timeout)
        while status == 100:
            status, headers, self._lasts = self._head(timeout)
        if status < 200:
            raise ResponseError(status)
        length = headers.get("content-length")
        if method == "HEAD" or status in (204, 304):
            pass
        elif (coding := headers.get("transfer-encoding")) is not None:
            if coding.lower() != "chunked" or length is not None:
                raise ResponseError(coding)
            self._is_chunked = True
        elif length is None:
            self._left, self._lasts = None, False
        elif length.isascii() and length.isdigit():
            self._left = int(length)
        else:
            raise ResponseError(length)
        return status, headers

    def piece(self, size: int, timeout: Callable[[], float]) -> bytes:
        """At most `size` bytes of the body as soon as there are some, none at its end.

        Raises OSError and ResponseError.
        """
        if self._is_chunked and not self._left:
            self._next_chunk(timeout)
        if self._left == 0:
            return b""
        most = size if self._left is None else min(size, self._left)
        if self._buffer:
            found = bytes(self._buffer[:most])
            del self._buffer[:most]
        else:
            self.sock.settimeout(timeout())
            found = self.sock.recv(most)
        self._read += len(found)
        if self._left is not None:
            if not found:
                raise IncompleteResponseError(self._read, None if self._is_chunked else self._left)
            self._left -= len(found)
        elif not found:
            self._left = 0
        return found

    @property
    def left(self) -> int | None:
        """The bytes that are left of the body; None where nobody knows."""
        return None if self._is_chunked else self._left

    @property
    def is_open(self) -> bool:
        """Whether another request may follow: the last response was read to its end, and the server keeps it open."""
        # What nobody asked for would be taken for the next response.
        return self._lasts and self.left == 0 and not self._buffer

    def is_stale(self) -> bool:
        """Whether the server has closed an idle connection, or sent what nobody asked for."""
        waiting = select.poll()
        waiting.register(self.sock, select.POLLIN)
        return bool(waiting.poll(0))

    def _head(self, timeout: Callable[[], float]) -> tuple[int, dict[str, str], bool]:
        """Status, headers, and whether the connection lasts."""
        if not self._buffer and not self._more(timeout):
            # As http.client does, without a number of the operating system.
            raise ConnectionResetError
        first, *lines = self._until(b"\r\n\r\n", _MAX_HEAD, timeout).decode("latin-1").split("\r\n")
        version, _, rest = first.partition(" ")
        status = rest[:3]
        if version not in ("HTTP/1.1", "HTTP/1.0") or not (len(status) == 3 and status.isascii() and status.isdigit()):
            raise ResponseError(first)
        headers: dict[str, str] = {}
        for line in lines:
            name, colon, value = line.partition(":")
            name, value = name.lower(), value.strip(" \t")
            if not colon or not name or name != "".join(name.split()):
                raise ResponseError(line)
            if name not in headers:
                headers[name] = value
            elif name != "content-length":
                headers[name] += f", {value}"
            elif headers[name] != value:
                raise ResponseError(line)
        options = headers.get("connection", "").lower()
        return int(status), headers, "keep-alive" in options if version == "HTTP/1.0" else "close" not in options

    def _next_chunk(self, timeout: Callable[[], float]) -> None:
        """Go to the next chunk; after the last one trailers are read and dropped."""
        if self._read and (beyond := self._until(b"\r\n", _MAX_LINE, timeout)):
            raise ResponseError(beyond)
        self._left = self._chunk_size(timeout)
        if not self._left:
            while self._until(b"\r\n", _MAX_LINE, timeout):
                pass
            self._is_chunked = False

    def _chunk_size(self, timeout: Callable[[], float]) -> int:
        digits = self._until(b"\r\n", _MAX_LINE, timeout).partition(b";")[0].strip(b" \t")
        if not digits or digits.strip(b"0123456789abcdefABCDEF"):
            raise ResponseError(digits)
        return int(digits, 16)

    def _until(self, end: bytes, most: int, timeout: Callable[[], float]) -> bytes:
        """What stands before `end`."""
        while (at := self._buffer.find(end)) < 0:
            if len(self._buffer) > most:
                raise ResponseError(most)
            if not self._more(timeout):
                raise IncompleteResponseError(self._read)
        found = bytes(self._buffer[:at])
        del self._buffer[: at + len(end)]
        return found

    def _more(self, timeout: Callable[[], float]) -> bool:
        """Whether more was read into the buffer; not at the end."""
        self.sock.settimeout(timeout())
        piece = self.sock.recv(_PIECE)
        self._buffer += piece
        return bool(piece)
