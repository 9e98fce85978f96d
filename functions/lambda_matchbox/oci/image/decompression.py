"""Decompression of gzip (RFC 1952) and zstd (RFC 8878), recognized by magic bytes, in bounded memory."""

import re
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import IO, cast

import zstandard

from lambda_matchbox.oci.errors import ImageError

_GZIP = re.compile(rb"\x1f\x8b")
# A frame, or a skippable one, which some tools write first.
_ZSTD = re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18")

_MAX_WINDOW = 1 << 27
"""Bytes of a zstd frame's window, which is held in memory; the limit of `zstd -d`."""

_PIECE = 1 << 20
# zlib copies the unused rest of a member's last input. Seekable layers (eStargz) have a member for each file, so that
# inputs must be small; in a long member they grow, which saves a tenth of a sync.
_MIN_INPUT = 1 << 16
_GZIP_WITH_HEADER = 31

_END_MARK = b"that was all"
# With a checksum, so that a frame that is read as the rest of a block is recognized.
_END_FRAME = zstandard.ZstdCompressor(write_checksum=True).compress(_END_MARK)


def decompressed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """`pieces` decompressed, in pieces of at most 1 MiB; unchanged where they are neither gzip nor zstd.

    The magic bytes are in the first piece; no piece is empty. All gzip members or zstd frames are one stream. Raises
    ImageError where they are damaged or truncated.
    """
    first = next(pieces, b"")
    rest = chain((first,), pieces)
    if _GZIP.match(first):
        return _gunzipped(rest)
    if _ZSTD.match(first):
        return _unzstd(rest)
    return rest


def beginning_of(piece: bytes, size: int) -> bytes:
    """At most `size` decompressed bytes of a stream that begins with `piece`; none where it is damaged."""
    try:
        if _GZIP.match(piece):
            return zlib.decompressobj(_GZIP_WITH_HEADER).decompress(piece, size)
        if _ZSTD.match(piece):
            with _frames().stream_reader(piece, read_across_frames=True) as reader:
                return reader.read(size)
    except (zlib.error, zstandard.ZstdError):
        return b""
    return piece[:size]


def _gunzipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    member = zlib.decompressobj(_GZIP_WITH_HEADER)
    size = _MIN_INPUT
    try:
        for piece in pieces:
            start = 0
            while start < len(piece):
                if member.eof:
                    # Zeros may pad members, as on tapes.
                    if not piece[start]:
                        padding = piece[start : start + _MIN_INPUT]
                        start += len(padding) - len(padding.lstrip(b"\0"))
                        continue
                    member, size = zlib.decompressobj(_GZIP_WITH_HEADER), _MIN_INPUT
                data = piece[start : start + size]
                start, size = start + len(data), min(2 * size, _PIECE)
                while data:
                    if inflated := member.decompress(data, _PIECE):
                        yield inflated
                    data = member.unconsumed_tail
                start -= len(member.unused_data)
        while inflated := member.decompress(b"", _PIECE):
            yield inflated
    except zlib.error as error:
        raise ImageError(f"damaged gzip: {error}") from error
    if not member.eof:
        raise ImageError("truncated gzip")


def _unzstd(pieces: Iterable[bytes]) -> Iterator[bytes]:
    # The library's reader does not report a truncated last frame. So one more frame is appended, which is decompressed
    # only if all before it were complete. It comes in two pieces, since libzstd forgets a truncated header where the
    # next piece begins with a frame that fits in the buffer.
    source = cast("IO[bytes]", _PieceReader(chain(pieces, (_END_FRAME[:3], _END_FRAME[3:]))))
    held = b""
    try:
        with _frames().stream_reader(source, read_across_frames=True, closefd=False) as reader:
            while data := reader.read(_PIECE):
                data = held + data
                held = data[-len(_END_MARK) :]
                if len(data) > len(held):
                    yield data[: -len(held)]
    except zstandard.ZstdError as error:
        raise ImageError(f"damaged or truncated zstd: {error}") from error
    if held != _END_MARK:
        raise ImageError("truncated zstd")


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
