"""The bytes of an answer as they arrive, and how slowly is too slowly."""

import time

import urllib3
from urllib3.exceptions import HTTPError

from lambda_matchbox.oci.distribution.guarded_connections import GuardedConnection, cut_after
from lambda_matchbox.oci.distribution.patience import TransientError
from lambda_matchbox.oci.errors import RegistryError

_SLOWEST = 1024
"""Bytes a second. What comes more slowly for as long as silence is granted has stalled: 1 GB would take twelve days."""

_PIECE = 65536
_WORTH_READING = 65536
"""Bytes of an unwanted body that cost less than a new connection."""


class PacedBody:
    """The body of one answer, which `host` gives. Errors begin with `what` was wanted."""

    def __init__(self, response: urllib3.BaseHTTPResponse, silence: float, what: str, host: str) -> None:
        self._response = response
        self._silence = silence
        self._what = what
        self._host = host
        self._waited = 0.0
        self._arrived = 0
        # Of such bodies a piece may take long without being long: between the pieces stand lines of any length.
        self._chunked = "chunked" in response.headers.get("Transfer-Encoding", "").lower()
        self.length: int | None = response.length_remaining
        """Bytes announced; None where the answer does not say."""

    def read(self, size: int) -> bytes:
        """At most `size` bytes as soon as there are some, none at the end. Raises TransientError where it breaks."""
        began = time.monotonic()
        connection = self._response.connection
        wire = connection.wire if self._chunked and isinstance(connection, GuardedConnection) else None
        try:
            with cut_after(self._silence, wire):
                piece = self._response.read1(size, decode_content=False)
        except HTTPError as error:
            raise TransientError(f"{self._what}: the answer of {self._host} breaks off: {error}") from error
        # Only the time spent here is the server's: whoever reads may take as long as he likes between two pieces.
        self._waited += time.monotonic() - began
        self._arrived += len(piece)
        if self._waited >= self._silence:
            if piece and self._arrived < self._silence * _SLOWEST:
                raise TransientError(
                    f"{self._what}: {self._host} stalls: {self._arrived} bytes in {self._waited:.0f} seconds"
                )
            self._waited, self._arrived = 0.0, 0
        return piece

    def whole(self, most: int) -> bytes:
        """All of it. Raises TransientError where it breaks, RegistryError where it is more than `most` bytes."""
        if self.length is not None and self.length > most:
            raise RegistryError(f"{self._what}: {self._host} answers with {self.length} bytes; at most {most} are read")
        pieces, total = [], 0
        while piece := self.read(_PIECE):
            pieces.append(piece)
            total += len(piece)
            if total > most:
                raise RegistryError(f"{self._what}: {self._host} answers with more than {most} bytes")
        return b"".join(pieces)

    def close(self) -> None:
        """Close the connection, unless everything was read: then it is kept for another request."""
        self._response.close()

    def dismiss(self) -> None:
        """Be done with a body that nobody wants, and keep its connection where that is cheap."""
        try:
            if self.length is not None and self.length <= _WORTH_READING:
                self.whole(_WORTH_READING)
        except RegistryError:
            pass
        finally:
            self.close()
