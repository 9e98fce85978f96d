"""Reading a part of an image while what came before is worked on."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from lambda_matchbox.oci.descriptors import Blob

PIECE = 1 << 20
"""Bytes of a piece; only the last one is shorter."""

_AHEAD = 4
"""How many pieces wait, at most."""


@contextmanager
def read_ahead(blob: Blob) -> Iterator[Iterator[bytes]]:
    """The pieces of `blob`, read (and hashed, as blobs are) by a thread of their own, which has ended afterwards.

    What the blob raises is raised where its piece would have come. What is held is bounded, however slow the caller is.
    """
    reader = _Reader(blob)
    with ThreadPoolExecutor(1, "read-ahead") as thread:
        waiting = deque(thread.submit(reader.piece) for _ in range(_AHEAD))

        def pieces() -> Iterator[bytes]:
            while piece := waiting.popleft().result():
                waiting.append(thread.submit(reader.piece))
                yield piece

        try:
            yield pieces()
        finally:
            thread.shutdown(wait=False, cancel_futures=True)


class _Reader:
    """A blob, which is asked for nothing more after its end or its error."""

    def __init__(self, blob: Blob) -> None:
        self._blob = blob
        self._ended = False

    def piece(self) -> bytes:
        """The next bytes: a whole piece, or what there was until the end."""
        parts = []
        missing = 0 if self._ended else PIECE
        self._ended = True
        while missing and (part := self._blob.read(missing)):
            parts.append(part)
            missing -= len(part)
        self._ended = bool(missing) or not parts
        return parts[0] if len(parts) == 1 else b"".join(parts)
