"""What do compressed bytes hold? gzip (RFC 1952) and zstd (RFC 8878), told by their magic bytes, in bounded memory."""

import re
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import IO, cast

import zstandard

from lambda_matchbox.oci.errors import ImageError

_GZIP = re.compile(rb"\x1f\x8b")
# A frame, or one that is skipped (as that which some tools put first).
_ZSTD = re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18")

_LARGEST_WINDOW = 1 << 27
"""Bytes of what came before that a zstd frame may refer to, and that are held: what `zstd -d` takes by default."""

_PIECE = 1 << 20
# zlib returns what it did not use of a member's last input as a copy. Layers that can be sought in (eStargz) have a
# member for each file, so the copies must be small. In a long member inputs grow, which saves a tenth of a sync.
_LEAST_INPUT = 1 << 16
_GZIP_WITH_HEADER = 31

_LAST_WORD = b"that was all"
# With a checksum: were the frame taken for the rest of a block, what came out would not end as its content does.
_LAST_FRAME = zstandard.ZstdCompressor(write_checksum=True).compress(_LAST_WORD)


def decompressed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """What `pieces` hold, in pieces of at most 1 MiB; as they are, where they are neither gzip nor zstd.

    The first piece has the magic bytes, if there are any; no piece is empty.
    Any number of gzip members and zstd frames make one stream. Raises ImageError where they are damaged or cut short.
    """
    first = next(pieces, b"")
    rest = chain((first,), pieces)
    if _GZIP.match(first):
        return _gunzipped(rest)
    if _ZSTD.match(first):
        return _unzstd(rest)
    return rest


def beginning_of(piece: bytes, size: int) -> bytes:
    """The first bytes, at most `size`, of what a stream holds that begins with `piece`; none where it is damaged."""
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
    size = _LEAST_INPUT
    try:
        for piece in pieces:
            start = 0
            while start < len(piece):
                if member.eof:
                    # Members may be padded with zeros, as on tapes.
                    if not piece[start]:
                        start += _leading_zeros(piece[start : start + _LEAST_INPUT])
                        continue
                    member, size = zlib.decompressobj(_GZIP_WITH_HEADER), _LEAST_INPUT
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
        raise ImageError(f"its gzip compression is damaged: {error}") from error
    if not member.eof:
        raise ImageError("its gzip compression is cut short")


def _unzstd(pieces: Iterable[bytes]) -> Iterator[bytes]:
    # The library's reader says nothing of a last frame that is cut short. So one more frame follows the last: it comes
    # out whole only if all before it were whole. In two pieces, since libzstd forgets the cut header of a frame where
    # the next piece begins with a frame that fits in the buffer.
    source = cast("IO[bytes]", _Source(chain(pieces, (_LAST_FRAME[:3], _LAST_FRAME[3:]))))
    held = b""
    try:
        with _frames().stream_reader(source, read_across_frames=True, closefd=False) as reader:
            while data := reader.read(_PIECE):
                data = held + data
                held = data[-len(_LAST_WORD) :]
                if len(data) > len(held):
                    yield data[: -len(held)]
    except zstandard.ZstdError as error:
        raise ImageError(f"its zstd compression is damaged or cut short: {error}") from error
    if held != _LAST_WORD:
        raise ImageError("its zstd compression is cut short")


def _frames() -> zstandard.ZstdDecompressor:
    return zstandard.ZstdDecompressor(max_window_size=_LARGEST_WINDOW)


def _leading_zeros(data: bytes) -> int:
    return len(data) - len(data.lstrip(b"\0"))


class _Source:
    """Pieces as a file that is read."""

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
