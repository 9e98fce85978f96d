"""An archive as a stream of blocks, and the bodies in it."""

from collections.abc import Iterator

from lambda_matchbox.oci.errors import ImageError

BLOCK = 512


class ArchiveStream:
    """Pieces as a stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._piece = b""
        self._used = 0
        self.position = 0

    def block(self) -> bytes:
        """The next header; empty at the end of the pieces: archives may lack the zeros at their end."""
        if self._used == len(self._piece) and not self._next():
            return b""
        return self.exactly(BLOCK)

    def exactly(self, size: int) -> bytes:
        """The next `size` bytes."""
        data = self.some(size)
        while len(data) < size:
            data += self.some(size - len(data))
        return data

    def some(self, size: int) -> bytes:
        """At least one byte, at most `size`."""
        if self._used == len(self._piece) and not self._next():
            raise ImageError("truncated tar archive")
        start, self._used = self._used, min(self._used + size, len(self._piece))
        self.position += self._used - start
        return self._piece[start : self._used]

    def skip(self, size: int) -> None:
        """Go on by `size` bytes."""
        while size > 0:
            if self._used == len(self._piece) and not self._next():
                raise ImageError("truncated tar archive")
            step = min(size, len(self._piece) - self._used)
            self._used += step
            self.position += step
            size -= step

    def drain(self) -> None:
        """Read all pieces that are left."""
        while self._next():
            pass

    def _next(self) -> bool:
        """Go to the next piece; returns whether there is one."""
        self._piece, self._used = next(self._pieces, b""), 0
        return bool(self._piece)


class Body:
    """The body of an entry; its rest is skipped before the next entry. `left` are the bytes not read yet."""

    def __init__(self, stream: ArchiveStream, size: int) -> None:
        self._stream = stream
        self._padding = -size % BLOCK
        self.left = size

    def __iter__(self) -> Iterator[bytes]:
        return self.next(self.left)

    def next(self, size: int) -> Iterator[bytes]:
        """The next `size` bytes, of those that are left, in pieces."""
        while size:
            data = self._stream.some(size)
            self.left -= len(data)
            size -= len(data)
            yield data

    def skip(self) -> None:
        """Go to the end of the body."""
        self._stream.skip(self.left)
        self.left = 0
        self._stream.skip(self._padding)
