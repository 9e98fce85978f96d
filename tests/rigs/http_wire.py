"""HTTP/1.1 messages on the wire, as far as a relay has to understand them (RFC 9112)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import BinaryIO

LINE = 1 << 16
"""Longest accepted line in bytes; presigned URLs have less than 2,000."""

PIECE = 1 << 16
"""Bytes of a body relayed at once."""


class MalformedMessageError(ConnectionError):
    """What arrived is not HTTP/1.1, or ended too early."""


@dataclass(frozen=True, slots=True)
class Head:
    """A start line and the header fields, in order and spelled as they arrived."""

    start: bytes
    fields: tuple[tuple[bytes, bytes], ...]

    @property
    def method(self) -> str:
        """The method, if this is a request."""
        return self.start.split(b" ", 1)[0].decode("ascii", "replace")

    @property
    def status(self) -> int:
        """The status, if this is a response."""
        words = self.start.split(b" ", 2)
        if len(words) < 2 or not words[1].isdigit():
            raise MalformedMessageError(f"no status line: {self.start!r}")
        return int(words[1])

    def field(self, name: str) -> str | None:
        """The first field of that name, whatever its case."""
        wanted = name.lower().encode("ascii")
        return next((value.decode("latin-1") for key, value in self.fields if key.lower() == wanted), None)

    def without(self, *names: str) -> "Head":
        """The same head without these fields."""
        dropped = {name.lower().encode("ascii") for name in names}
        return replace(self, fields=tuple(field for field in self.fields if field[0].lower() not in dropped))

    def with_field(self, name: str, value: str) -> "Head":
        """The same head with this field once, at its end."""
        kept = self.without(name)
        return replace(kept, fields=(*kept.fields, (name.encode("ascii"), value.encode("latin-1"))))

    def closes(self) -> bool:
        """Whether the connection ends after this message."""
        connection = (self.field("connection") or "").lower()
        return "close" in connection or (b"HTTP/1.0" in self.start and "keep-alive" not in connection)

    def encode(self) -> bytes:
        """The head as sent, its empty line included."""
        return b"\r\n".join([self.start, *(name + b": " + value for name, value in self.fields), b"", b""])


def read_head(stream: BinaryIO) -> Head | None:
    """The next message's head; None at the end of the stream.

    Raises MalformedMessageError for what is not HTTP.
    """
    start = _line(stream, eof=True)
    if start is None:
        return None
    if b"HTTP/1." not in start:
        raise MalformedMessageError(f"no start line: {start[:80]!r}")
    fields = []
    while line := _line(stream):
        name, colon, value = line.partition(b":")
        if not colon:
            raise MalformedMessageError(f"no header field: {line[:80]!r}")
        fields.append((name, value.strip()))
    return Head(start, tuple(fields))


def copy_request_body(head: Head, stream: BinaryIO, sink: Callable[[bytes], object]) -> None:
    """Hand the body of a request to `sink` as it is on the wire, chunk sizes included."""
    if _chunked(head):
        _copy_chunks(stream, sink)
    else:
        _copy_length(stream, _length(head.field("content-length") or "0"), sink)


def copy_response_body(head: Head, method: str, stream: BinaryIO, sink: Callable[[bytes], object]) -> bool:
    """Hand the body of the response to a `method` request to `sink` as it is on the wire.

    False if only the end of the connection ended it.
    """
    length = head.field("content-length")
    if method == "HEAD" or head.status in {204, 304}:
        return True
    if _chunked(head):
        _copy_chunks(stream, sink)
    elif length is not None:
        _copy_length(stream, _length(length), sink)
    else:
        while piece := stream.read(PIECE):
            sink(piece)
        return False
    return True


def unchunked(head: Head, body: bytes) -> bytes:
    """The content of a body that was copied from the wire."""
    if not _chunked(head):
        return body
    content = bytearray()
    while (size := _chunk_size(body.partition(b"\r\n")[0])) > 0:
        begin = body.index(b"\r\n") + 2
        content += body[begin : begin + size]
        body = body[begin + size + 2 :]
    return bytes(content)


def _chunked(head: Head) -> bool:
    return "chunked" in (head.field("transfer-encoding") or "").lower()


def _length(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise MalformedMessageError(f"no length: {text!r}")
    return int(text)


def _chunk_size(line: bytes) -> int:
    try:
        return int(line.partition(b";")[0], 16)
    except ValueError:
        raise MalformedMessageError(f"no chunk size: {line[:80]!r}") from None


def _copy_chunks(stream: BinaryIO, sink: Callable[[bytes], object]) -> None:
    while True:
        line = _line(stream) or b""
        sink(line + b"\r\n")
        size = _chunk_size(line)
        if size == 0:
            break
        _copy_length(stream, size + 2, sink)
    while trailer := _line(stream):
        sink(trailer + b"\r\n")
    sink(b"\r\n")


def _copy_length(stream: BinaryIO, length: int, sink: Callable[[bytes], object]) -> None:
    while length > 0:
        piece = stream.read(min(length, PIECE))
        if not piece:
            raise MalformedMessageError(f"the body ended {length} bytes early")
        sink(piece)
        length -= len(piece)


def _line(stream: BinaryIO, *, eof: bool = False) -> bytes | None:
    line = stream.readline(LINE)
    if not line and eof:
        return None
    if not line.endswith(b"\n"):
        raise MalformedMessageError(f"the line ended early: {line[:80]!r}")
    return line.rstrip(b"\r\n")
