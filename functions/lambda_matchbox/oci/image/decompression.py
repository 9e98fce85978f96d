"""Decompression of gzip (RFC 1952) and zstd (RFC 8878), recognized by magic bytes, in bounded memory."""

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import cast

from zlib_ng import zlib_ng

from lambda_matchbox.oci.errors import ImageError

_GZIP = re.compile(rb"\x1f\x8b")
# A frame, or a skippable one, which some tools write first.
_ZSTD = re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18")

# A larger piece's memory would be returned to the system and cleared again for each, which takes a fifth of a sync.
_PIECE = 1 << 19
# The unused rest of a member's last input is copied. Seekable layers (eStargz) have a member for each file, so that
# inputs must be small; in a long member they grow, which saves a tenth of a sync.
_MIN_INPUT = 1 << 16
_GZIP_WITH_HEADER = 31
# Its stub takes the class for an instance.
_Error = cast("type[Exception]", zlib_ng.error)


def decompressed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """`pieces` decompressed, in pieces of at most 512 KiB; unchanged where they are neither gzip nor zstd.

    The magic bytes are in the first piece; no piece is empty. All gzip members or zstd frames are one stream. Raises
    ImageError where they are damaged or truncated.
    """
    first = next(pieces, b"")
    rest = chain((first,), pieces)
    if _GZIP.match(first):
        return _gunzipped(rest)
    if _ZSTD.match(first):
        from lambda_matchbox.oci.image import zstd

        return zstd.decompressed(rest, _PIECE)
    return rest


def beginning_of(piece: bytes, size: int) -> bytes:
    """At most `size` decompressed bytes of a stream that begins with `piece`; none where it is damaged."""
    if _GZIP.match(piece):
        try:
            return zlib_ng.decompressobj(_GZIP_WITH_HEADER).decompress(piece, size)
        except _Error:
            return b""
    if _ZSTD.match(piece):
        from lambda_matchbox.oci.image import zstd

        return zstd.beginning_of(piece, size)
    return piece[:size]


def _gunzipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    member = zlib_ng.decompressobj(_GZIP_WITH_HEADER)
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
                    member, size = zlib_ng.decompressobj(_GZIP_WITH_HEADER), _MIN_INPUT
                data = piece[start : start + size]
                start, size = start + len(data), min(2 * size, _PIECE)
                while data:
                    if inflated := member.decompress(data, _PIECE):
                        yield inflated
                    data = member.unconsumed_tail
                start -= len(member.unused_data)
        while inflated := member.decompress(b"", _PIECE):
            yield inflated
    except _Error as error:
        raise ImageError(f"damaged gzip: {error}") from error
    if not member.eof:
        raise ImageError("truncated gzip")
