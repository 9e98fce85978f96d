"""Connections that are closed before anything is sent where their peer is not allowed."""

import contextlib
import ipaddress
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from lambda_matchbox.oci.distribution.origins import NetworkZone, zone_of
from lambda_matchbox.oci.errors import RegistryError


class Guard:
    """Allows peers up to the zone `innermost`, and reports the zone of each to `connected`."""

    def __init__(self, innermost: NetworkZone, connected: Callable[[NetworkZone], None], read_timeout: float) -> None:
        self._innermost = innermost
        self._connected = connected
        self.read_timeout = read_timeout

    def check(self, host: str, connection: socket.socket, *, encrypted: bool) -> None:
        """Raises RegistryError where the peer is not allowed."""
        address = str(connection.getpeername()[0])
        zone = zone_of(address)
        if not encrypted and not ipaddress.ip_address(address).is_loopback:
            raise RegistryError(f"{host} is at {address}: http is allowed for this machine only")
        if zone > self._innermost:
            raise RegistryError(f"an external registry leads to {host} at the internal address {address}")
        self._connected(zone)


@contextlib.contextmanager
def shut_down_after(seconds: float, connection: socket.socket | None) -> Iterator[None]:
    """Shut down the connection if the body takes longer: a read timeout restarts with every byte."""
    if connection is None:
        yield
        return

    def shut_down() -> None:
        # The plain socket's method, since that of a TLS socket must not be called during a read.
        with contextlib.suppress(OSError):
            socket.socket.shutdown(connection, socket.SHUT_RDWR)

    timer = threading.Timer(seconds, shut_down)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


class GuardedConnection(HTTPConnection):
    """A connection without encryption, to this machine only."""

    encrypted = False

    def __init__(self, *arguments: Any, guard: Guard, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._guard = guard
        self.wire: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        connection = super()._new_conn()
        try:
            self._guard.check(self.host, connection, encrypted=self.encrypted)
        except (RegistryError, OSError):
            connection.close()
            raise
        return connection

    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]
        """The head of the response, within the read timeout as a whole."""
        # urllib3 drops the socket where the server closes the connection with the response.
        self.wire = self.sock
        with shut_down_after(self._guard.read_timeout, self.wire):
            return super().getresponse()


class GuardedTlsConnection(GuardedConnection, HTTPSConnection):
    """A connection to a host whose certificate is verified."""

    encrypted = True


class PlainPool(urllib3.HTTPConnectionPool):
    """Connections to this machine."""

    ConnectionCls = GuardedConnection


class TlsPool(urllib3.HTTPSConnectionPool):
    """Connections to one host by https."""

    ConnectionCls = GuardedTlsConnection
