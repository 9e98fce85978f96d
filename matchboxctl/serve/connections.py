"""The limits of client connections: how many, how long they may wait, and how large a request's head may be."""

import asyncio
from collections import Counter
from collections.abc import Callable
from ipaddress import IPv6Address, IPv6Network
from typing import Protocol

from lambda_matchbox.web.access_log import Log

HEAD_SIZE = 65_536
"""The largest head of a request in bytes, as with the load balancer."""

_WAITING_SECONDS = 10.0
_LOG_INTERVAL = 60.0


class Connection(Protocol):
    """What the limits know of a connection: its client's address, and how to end it at once."""

    address: str

    def abort(self) -> None:
        """Close the connection without sending what is pending."""


class Connections:
    """The open connections, of which `total` may be open, and `per_address` from each address.

    A connection has 10 seconds for the whole head of a request, its first one or the next. One that waits makes room
    for a new one, the oldest first: nobody occupies the server with idle connections. What is refused is logged once a
    minute. `clock` returns seconds.
    """

    def __init__(self, total: int, per_address: int, log: Log, clock: Callable[[], float]) -> None:
        self._total = total
        self._per_address = per_address
        self._log = log
        self._clock = clock
        self._open: set[Connection] = set()
        self._by_address: Counter[str] = Counter()
        # The connections without a request, the oldest first, and when each is closed.
        self._waiting: dict[Connection, float] = {}
        self._ended = asyncio.Event()
        self._refused: Counter[str] = Counter()
        self._log_at = clock()

    async def drained(self) -> None:
        """Return once no connection has a request; new ones must not come."""
        while len(self._open) > len(self._waiting):
            self._ended.clear()
            await self._ended.wait()

    def opened(self, connection: Connection) -> bool:
        """Count a new connection; False if it has to be refused."""
        self._open.add(connection)
        client = _client(connection.address)
        self._by_address[client] += 1
        if self._by_address[client] > self._per_address:
            self._refused[f"over {self._per_address} connections from one address"] += 1
            return False
        if len(self._open) > self._total:
            self._refused[f"over {self._total} connections"] += 1
            if not self._waiting:
                return False
            oldest = next(iter(self._waiting))
            del self._waiting[oldest]
            oldest.abort()
        self._waiting[connection] = self._clock() + _WAITING_SECONDS
        return True

    def closed(self, connection: Connection) -> None:
        """Forget the connection, once."""
        if connection not in self._open:
            return
        self._ended.set()
        self._waiting.pop(connection, None)
        self._open.discard(connection)
        client = _client(connection.address)
        self._by_address[client] -= 1
        if not self._by_address[client]:
            del self._by_address[client]

    def is_waiting(self, connection: Connection) -> bool:
        """Whether the connection has no request."""
        return connection in self._waiting

    def head_too_large(self, connection: Connection) -> bool:
        """Whether the connection still waits for the end of a head that is too large; it is counted as refused."""
        if connection not in self._waiting:
            return False
        self._refused[f"the head of a request over {HEAD_SIZE} bytes"] += 1
        return True

    def request_begun(self, connection: Connection) -> None:
        """A request's head is complete."""
        self._waiting.pop(connection, None)

    def request_ended(self, connection: Connection) -> None:
        """The response is sent: the connection is idle unless it is closed."""
        self._ended.set()
        if connection in self._open:
            self._waiting[connection] = self._clock() + _WAITING_SECONDS

    def sweep(self) -> None:
        """Close what has waited too long, and log what was refused."""
        now = self._clock()
        for connection in [one for one, end in self._waiting.items() if end < now]:
            del self._waiting[connection]
            connection.abort()
        if now >= self._log_at and self.log_refused():
            self._log_at = now + _LOG_INTERVAL

    def log_refused(self) -> bool:
        """Log what was refused since the last time, if anything was."""
        if not self._refused:
            return False
        self._log.warning("connections refused", extra={"refused": dict(self._refused)})
        self._refused.clear()
        return True


def _client(address: str) -> str:
    """What an address counts for: of IPv6 its network of 64 bits, all of which one client may have."""
    if ":" not in address:
        return address
    parsed = IPv6Address(address)
    return str(parsed.ipv4_mapped or IPv6Network((parsed.packed[:8] + bytes(8), 64)))
