"""Decompression of any format, in pieces of any size."""

import gzip
import hashlib
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from lambda_matchbox.oci.image.decompression import decompressed

LONG = hashlib.shake_256(b"long").digest(3_000_000)
MEMBERS = st.lists(
    st.tuples(
        st.integers(0, len(LONG)) | st.integers(0, 300) | st.integers(65_000, 66_000),
        st.integers(0, 9),
        st.integers(0, 5) | st.integers(65_530, 65_540),
    ),
    min_size=1,
    max_size=8,
)


def cut(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


@given(MEMBERS, st.integers(1 << 10, 1 << 21))
def test_gzip_members_are_one_stream(members: list[tuple[int, int, int]], size: int) -> None:
    """With zeros between them."""
    bodies = [LONG[len(LONG) - length :] for length, _, _ in members]
    compressed = b"".join(
        gzip.compress(body, level) + bytes(padding) for body, (_, level, padding) in zip(bodies, members, strict=True)
    )
    pieces = list(decompressed(cut(compressed, size)))
    assert b"".join(bodies) == b"".join(pieces)
    assert all(0 < len(piece) <= 1 << 20 for piece in pieces)


def test_seekable_layer_is_one_stream() -> None:
    """A long member and many short ones."""
    short = [b"%d" % number for number in range(5000)]
    compressed = gzip.compress(LONG, 1) + b"".join(gzip.compress(body, 1) for body in short)
    assert LONG + b"".join(short) == b"".join(decompressed(cut(compressed, 1 << 20)))
