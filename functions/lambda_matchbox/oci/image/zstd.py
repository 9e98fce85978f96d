"""Decompression of zstd (RFC 8878). zstandard takes long to import, and few layers need it."""

from collections.abc import Iterator
from itertools import chain
from typing import IO, cast

import zstandard

from lambda_matchbox.oci.errors import ImageError

_MAX_WINDOW = 1 << 27
"""Bytes of a frame's window, which is held in memory; the limit of `zstd -d`."""

_END_MARK = b"that was all"
# With a checksum, so that a frame that is read as the rest of a block is recognized.
_END_FRAME = zstandard.ZstdCompressor(write_checksum=True).compress(_END_MARK)


def decompressed(pieces: Iterator[bytes], size: int) -> Iterator[bytes]:
    """All frames in `pieces` as one stream, in pieces of at most `size` bytes.

    Raises ImageError where they are damaged or truncated.
    """
    # The library's reader does not report a truncated last frame. So one more frame is appended, which is decompressed
    # only if all before it were complete. It comes in two pieces, since libzstd forgets a truncated header where the
    # next piece begins with a frame that fits in the buffer.
    source = cast("IO[bytes]", _PieceReader(chain(pieces, (_END_FRAME[:3], _END_FRAME[3:]))))
    held = b""
    try:
        with _frames().stream_reader(source, read_across_frames=True, closefd=False) as reader:
            while data := reader.read(size):
                data = held + data
                held = data[-len(_END_MARK) :]
                if len(data) > len(held):
                    yield data[: -len(held)]
    except zstandard.ZstdError as error:
        raise ImageError(f"damaged or truncated zstd: {error}") from error
    if held != _END_MARK:
        raise ImageError("truncated zstd")


def beginning_of(piece: bytes, size: int) -> bytes:
    """At most `size` decompressed bytes of frames that begin with `piece`; none where they are damaged."""
    try:
        with _frames().stream_reader(piece, read_across_frames=True) as reader:
            return reader.read(size)
    except zstandard.ZstdError:
        return b""


def _frames() -> zstandard.ZstdDecompressor:
    return zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW)


class _PieceReader:
    """Pieces as a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._piece = b""
        self._used = 0

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes, none at the end."""
        if self._used == len(self._piece):
            self._piece, self._used = next(self._pieces, b""), 0
        start, self._used = self._used, min(self._used + size, len(self._piece))
        return self._piece[start : self._used]
