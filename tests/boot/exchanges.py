"""A relay in front of the HTTP server that records requests and responses."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import BinaryIO, NamedTuple

from tests.rigs.http_wire import Head, copy_request_body, copy_response_body, read_head
from tests.support.server_threads import in_thread

LONGEST_WAIT = 600
"""Seconds in which what a test waits for has happened, forty times what it takes."""


class Exchange(NamedTuple):
    """The heads of a request and of its response."""

    request: Head
    response: Head

    @property
    def target(self) -> str:
        """What was asked for: path and query, as sent."""
        return self.request.start.split(b" ")[1].decode("latin-1")

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]


class Relay(ThreadingTCPServer):
    """Listens on `port` of 127.0.0.1 and hands requests on to another port of it.

    If no response begins within `response_timeout` seconds, it hangs up and keeps nothing. The other port
    sees requests come from `source`.
    """

    daemon_threads = True

    def __init__(self, upstream: int, response_timeout: float | None, source: str) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.port = int(self.server_address[1])
        self.upstream = upstream
        self.response_timeout = response_timeout
        self.source = source
        self._changed = threading.Condition()
        self._exchanges: list[Exchange] = []

    def note(self, exchange: Exchange) -> None:
        """Keep an exchange, known as soon as its response begins."""
        with self._changed:
            self._exchanges.append(exchange)
            self._changed.notify_all()

    def exchanges(self, path: str) -> list[Exchange]:
        """The exchanges for that path so far."""
        with self._changed:
            return [exchange for exchange in self._exchanges if exchange.path == path]

    def wait_for(self, wanted: Callable[[Exchange], bool]) -> None:
        """Wait for such an exchange. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: any(map(wanted, self._exchanges)), LONGEST_WAIT):
                raise TimeoutError("what was waited for is not among " + repr([e.target for e in self._exchanges]))


class _Conversation(BaseRequestHandler):
    server: Relay

    def handle(self) -> None:
        client: socket.socket = self.request
        # Either end may leave; the other end's connection is then closed.
        with suppress(ConnectionError, TimeoutError), client.makefile("rb") as stream:
            while (request := read_head(stream)) is not None and self._relay(request, client, stream):
                pass

    def _relay(self, request: Head, client: socket.socket, stream: BinaryIO) -> bool:
        """Hand one request on; whether the connection lives on."""
        with (
            socket.create_connection(
                ("127.0.0.1", self.server.upstream), source_address=(self.server.source, 0)
            ) as connection,
            connection.makefile("rb") as responses,
        ):
            connection.sendall(request.encode())
            copy_request_body(request, stream, connection.sendall)
            connection.settimeout(self.server.response_timeout)
            response = read_head(responses)
            connection.settimeout(None)
            if response is None:
                return False
            self.server.note(Exchange(request, response))
            client.sendall(response.encode())
            delimited = copy_response_body(response, request.method, responses, client.sendall)
            return delimited and not request.closes() and not response.closes()


@contextmanager
def relayed(port: int, timeout: float | None = None, source: str = "127.0.0.1") -> Iterator[Relay]:
    """A relay to `port` of 127.0.0.1; it waits for ever for a response unless `timeout` says otherwise."""
    with in_thread(Relay(port, timeout, source)) as relay:
        yield relay
