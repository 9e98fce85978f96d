"""Reads a blob ahead in a thread while earlier pieces are processed."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from lambda_matchbox.oci.descriptors import Blob

PIECE = 1 << 19
"""Bytes of every piece but the last."""

_MAX_AHEAD = 4
"""Pieces that wait."""


@contextmanager
def read_ahead(blob: Blob) -> Iterator[Iterator[bytes]]:
    """The pieces of `blob`, which a thread reads and thereby hashes; it has ended afterwards.

    An error of the blob is raised instead of its piece. Memory is bounded, however slow the caller is.
    """
    reader = _Reader(blob)
    with ThreadPoolExecutor(1, "read-ahead") as thread:
        waiting = deque(thread.submit(reader.piece) for _ in range(_MAX_AHEAD))

        def pieces() -> Iterator[bytes]:
            while piece := waiting.popleft().result():
                waiting.append(thread.submit(reader.piece))
                yield piece

        try:
            yield pieces()
        finally:
            thread.shutdown(wait=False, cancel_futures=True)


class _Reader:
    """A blob that is not read again after its end or an error."""

    def __init__(self, blob: Blob) -> None:
        self._blob = blob
        self._ended = False

    def piece(self) -> bytes:
        """The next piece, shorter only at the end."""
        parts = []
        missing = 0 if self._ended else PIECE
        self._ended = True
        while missing and (part := self._blob.read(missing)):
            parts.append(part)
            missing -= len(part)
        self._ended = bool(missing) or not parts
        return parts[0] if len(parts) == 1 else b"".join(parts)
