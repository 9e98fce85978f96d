"""TLS below a client's connection, within the same limits from its first byte."""

import asyncio
import ssl
from asyncio.sslproto import SSLProtocol

from matchboxctl.serve.http_connection import LimitedConnection


class TlsConnection(SSLProtocol):
    """asyncio's TLS, which tells the limits of the connection before its handshake.

    The handshake has part of the seconds for the first request's head.
    """

    # Of the buffer that each connection has.
    max_size = 16_384

    def __init__(self, connection: LimitedConnection, context: ssl.SSLContext) -> None:
        # Nobody waits for the end of the handshake.
        waiter = None
        super().__init__(
            asyncio.get_running_loop(),
            connection,
            context,
            waiter,  # type: ignore[arg-type]
            server_side=True,
        )
        self._connection = connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake unless there are too many connections."""
        if self._connection.accepted(transport):
            super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget the connection, which asyncio tells of it only after a handshake."""
        self._connection.forgotten()
        super().connection_lost(exc)

    def eof_received(self) -> None:
        """Let asyncio close the connection, also during a download: it would discard the rest and log each piece."""
        super().eof_received()
