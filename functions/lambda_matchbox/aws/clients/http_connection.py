"""A connection that speaks HTTP/1.1 (RFC 9112), for one request after the other.

http.client reads the head of a response with the package email. Importing both takes a sixth of a cold function's
start, and reading a head so takes as long as signing a request.
"""

import socket
import ssl
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, TypeAlias

from lambda_matchbox.http_reasons import IncompleteResponseError, ResponseError

_PIECE = 65536
_MAX_HEAD = 65536
_MAX_LINE = 1024
_MAX_LENGTH_DIGITS = 18


Body: TypeAlias = bytes | Iterable[bytes]
"""Bytes, or their pieces, anew for each attempt: those have a header Content-Length."""


class HttpResponse(NamedTuple):
    """A service's response; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class HttpConnection:
    """A connection to `host`, with its port if that is not the scheme's. Raises OSError.

    `tls` is None for http.
    """

    def __init__(self, host: str, timeout: float, tls: ssl.SSLContext | None) -> None:
        name, colon, port = host.rpartition(":")
        if not colon or port.endswith("]"):
            name, port = host, "80" if tls is None else "443"
        name = name.strip("[]")
        self._host = host
        self._buffer = bytearray()
        self.is_open = True
        self.sock = socket.create_connection((name, int(port)), timeout)
        try:
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if tls is not None:
                self.sock = tls.wrap_socket(self.sock, server_hostname=name)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close it."""
        self.is_open = False
        self.sock.close()

    def send(self, method: str, target: str, headers: Mapping[str, str], body: Body | None, timeout: float) -> None:
        """Send a request. Raises OSError, and ValueError for what would be more than one line."""
        given = {"Host": self._host, "Accept-Encoding": "identity", **headers}
        if body is None and method in ("POST", "PUT"):
            body = b""
        if isinstance(body, bytes):
            given["Content-Length"] = str(len(body))
        lines = [f"{method} {target} HTTP/1.1", *[f"{name}: {value}" for name, value in given.items()], "\r\n"]
        text = "\r\n".join(lines)
        if " " in target or not text.count("\r") == text.count("\n") == len(lines):
            raise ValueError(f"the request for {target!r} has a line too many")
        self.sock.settimeout(timeout)
        head = text.encode("latin-1")
        if isinstance(body, bytes) and len(body) <= _PIECE:
            # In one packet, mostly.
            self.sock.sendall(head + body)
            return
        self.sock.sendall(head)
        for piece in (body,) if isinstance(body, bytes) else body or ():
            self.sock.sendall(piece)

    def response(self, method: str, timeout: Callable[[], float]) -> HttpResponse:
        """The response to a request of this method; each piece may take as long as `timeout` says.

        Afterwards the connection is open if another request may follow. Raises OSError and ResponseError.
        """
        status, headers, lasts = self._head(timeout)
        while status == 100:
            status, headers, lasts = self._head(timeout)
        if status < 200:
            raise ResponseError(status)
        length = headers.get("content-length")
        if method == "HEAD" or status in (204, 304):
            body = b""
        elif (coding := headers.get("transfer-encoding")) is not None:
            if coding.lower() != "chunked" or length is not None:
                raise ResponseError(coding)
            body = self._chunks(timeout)
        elif length is not None:
            if not (length.isascii() and length.isdigit() and len(length) <= _MAX_LENGTH_DIGITS):
                raise ResponseError(length)
            body = self._exactly(int(length), timeout)
        else:
            body, lasts = self._rest(timeout), False
        # What nobody asked for would be taken for the next response.
        if not lasts or self._buffer:
            self.close()
        return HttpResponse(status, headers, body)

    def _head(self, timeout: Callable[[], float]) -> tuple[int, dict[str, str], bool]:
        """Status, headers, and whether the connection lasts."""
        if not self._buffer and not self._more(timeout):
            # As http.client does, without a number of the operating system.
            raise ConnectionResetError
        first, *lines = self._until(b"\r\n\r\n", _MAX_HEAD, timeout).decode("latin-1").split("\r\n")
        version, _, rest = first.partition(" ")
        status = rest.partition(" ")[0]
        if version not in ("HTTP/1.1", "HTTP/1.0") or not (len(status) == 3 and status.isascii() and status.isdigit()):
            raise ResponseError(first)
        headers: dict[str, str] = {}
        for line in lines:
            name, colon, value = line.partition(":")
            name, value = name.lower(), value.strip(" \t")
            if not colon or name.split() != [name]:
                raise ResponseError(line)
            if name in ("content-length", "transfer-encoding") and headers.get(name, value) != value:
                raise ResponseError(line)
            headers[name] = value
        options = headers.get("connection", "").lower()
        return int(status), headers, "keep-alive" in options if version == "HTTP/1.0" else "close" not in options

    def _chunks(self, timeout: Callable[[], float]) -> bytes:
        """A chunked body; trailers are read and dropped."""
        body = bytearray()
        try:
            while size := self._chunk_size(timeout):
                body += self._exactly(size, timeout)
                if self._exactly(2, timeout) != b"\r\n":
                    raise ResponseError(size)
            while self._until(b"\r\n", _MAX_LINE, timeout):
                pass
        except IncompleteResponseError as error:
            raise IncompleteResponseError(len(body) + error.read) from error
        return bytes(body)

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
                raise IncompleteResponseError(0)
        found = bytes(self._buffer[:at])
        del self._buffer[: at + len(end)]
        return found

    def _exactly(self, size: int, timeout: Callable[[], float]) -> bytes:
        while (left := size - len(self._buffer)) > 0:
            if not self._more(timeout):
                raise IncompleteResponseError(len(self._buffer), left)
        found = bytes(self._buffer[:size])
        del self._buffer[:size]
        return found

    def _rest(self, timeout: Callable[[], float]) -> bytes:
        while self._more(timeout):
            pass
        found = bytes(self._buffer)
        self._buffer.clear()
        return found

    def _more(self, timeout: Callable[[], float]) -> bool:
        """Whether more was read into the buffer; not at the end."""
        self.sock.settimeout(timeout())
        piece = self.sock.recv(_PIECE)
        self._buffer += piece
        return bool(piece)
