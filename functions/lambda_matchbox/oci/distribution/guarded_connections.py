"""Connections that are given up before anything is sent where their peer must not be asked."""

import contextlib
import ipaddress
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from lambda_matchbox.oci.distribution.origins import Reach, reach_of
from lambda_matchbox.oci.errors import RegistryError


class Guard:
    """Says of each peer whether it may be asked: none that lies further inward than `farthest`.

    `found` is told how far inward each peer lies that may be.
    """

    def __init__(self, farthest: Reach, found: Callable[[Reach], None], silence: float) -> None:
        self._farthest = farthest
        self._found = found
        self.silence = silence

    def check(self, host: str, connected: socket.socket, *, encrypted: bool) -> None:
        """Raises RegistryError where the peer must not be asked."""
        address = str(connected.getpeername()[0])
        reach = reach_of(address)
        if not encrypted and not ipaddress.ip_address(address).is_loopback:
            raise RegistryError(f"{host} is at {address}, and only this machine is asked without encryption")
        if reach > self._farthest:
            raise RegistryError(
                f"a registry outside leads to {host} at {address}, an internal address, which is not asked for it"
            )
        self._found(reach)


@contextlib.contextmanager
def cut_after(seconds: float, connected: socket.socket | None) -> Iterator[None]:
    """Break the connection where the work within takes longer; waiting for each byte alone would never end."""
    if connected is None:
        yield
        return

    def cut() -> None:
        # The plain socket's method: that of a TLS socket is not made for being called beside a read.
        with contextlib.suppress(OSError):
            socket.socket.shutdown(connected, socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


class GuardedConnection(HTTPConnection):
    """Without encryption: to this machine only."""

    encrypted = False

    def __init__(self, *arguments: Any, guard: Guard, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._guard = guard
        self.wire: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        connected = super()._new_conn()
        try:
            self._guard.check(self.host, connected, encrypted=self.encrypted)
        except (RegistryError, OSError):
            connected.close()
            raise
        return connected

    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]
        """The head of the answer, got before the silence that is granted ends."""
        # Kept here because the socket is forgotten where the server ends the connection with the answer.
        self.wire = self.sock
        with cut_after(self._guard.silence, self.wire):
            return super().getresponse()


class GuardedTlsConnection(GuardedConnection, HTTPSConnection):
    """To a host whose certificate is verified."""

    encrypted = True


class PlainPool(urllib3.HTTPConnectionPool):
    """Kept connections to this machine."""

    ConnectionCls = GuardedConnection


class TlsPool(urllib3.HTTPSConnectionPool):
    """Kept connections to one host by https."""

    ConnectionCls = GuardedTlsConnection
