"""The body of a response, with a minimum rate."""

import time

import urllib3
from urllib3.exceptions import HTTPError

from lambda_matchbox.oci.distribution.guarded_connections import GuardedConnection, shut_down_after
from lambda_matchbox.oci.distribution.retries import TransientError
from lambda_matchbox.oci.distribution.urllib3_reasons import reason
from lambda_matchbox.oci.errors import RegistryError

_MIN_RATE = 1024
"""Bytes a second, over the read timeout; at this rate 1 GB takes twelve days."""

_PIECE = 65536
_MAX_DISCARD = 65536
"""Bytes of an unused body that cost less to read than a new connection."""


class PacedBody:
    """The body of a response from `host`. Errors begin with `what`, the part of the image that is fetched."""

    def __init__(self, response: urllib3.BaseHTTPResponse, read_timeout: float, what: str, host: str) -> None:
        self._response = response
        self._read_timeout = read_timeout
        self._what = what
        self._host = host
        self._waited = 0.0
        self._arrived = 0
        # Chunk headers can drip: a piece of such a body may take long without being large.
        self._chunked = "chunked" in response.headers.get("Transfer-Encoding", "").lower()
        self.length: int | None = response.length_remaining
        """Bytes announced; None where the response does not say."""

    def read(self, size: int) -> bytes:
        """At most `size` bytes as soon as there are some, none at the end. Raises TransientError."""
        began = time.monotonic()
        connection = self._response.connection
        wire = connection.wire if self._chunked and isinstance(connection, GuardedConnection) else None
        try:
            with shut_down_after(self._read_timeout, wire):
                piece = self._response.read1(size, decode_content=False)
        except HTTPError as error:
            raise TransientError(f"{self._what}: the response of {self._host} breaks off: {reason(error)}") from error
        # The time between two reads is the caller's own.
        self._waited += time.monotonic() - began
        self._arrived += len(piece)
        if self._waited >= self._read_timeout:
            if piece and self._arrived < self._read_timeout * _MIN_RATE:
                raise TransientError(
                    f"{self._what}: {self._host} stalls: {self._arrived} bytes in {self._waited:.0f} seconds"
                )
            self._waited, self._arrived = 0.0, 0
        return piece

    def read_all(self, limit: int) -> bytes:
        """The whole body. Raises TransientError, and RegistryError for more than `limit` bytes."""
        if self.length is not None and self.length > limit:
            raise RegistryError(f"{self._what}: {self._host} sends {self.length} bytes; the limit is {limit}")
        pieces, total = [], 0
        while piece := self.read(_PIECE):
            pieces.append(piece)
            total += len(piece)
            if total > limit:
                raise RegistryError(f"{self._what}: {self._host} sends more than {limit} bytes")
        return b"".join(pieces)

    def close(self) -> None:
        """Close the connection, unless the body was read to its end: then it is reused."""
        self._response.close()

    def discard(self) -> None:
        """Close an unused body; its connection is reused where reading the rest is cheap."""
        try:
            if self.length is not None and self.length <= _MAX_DISCARD:
                self.read_all(_MAX_DISCARD)
        except RegistryError:
            pass
        finally:
            self.close()
