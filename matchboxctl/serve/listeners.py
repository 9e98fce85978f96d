"""The listening sockets of `serve`, one for each of its processes."""

import errno
import socket
import time
from typing import NamedTuple

from matchboxctl.cli.arguments import Address
from matchboxctl.serve.certificate import Certificate

BACKLOG = 1024
"""The number of connections that wait to be accepted."""

_BIND_SECONDS = 2.0


class Listener(NamedTuple):
    """A listening socket, which speaks TLS if it has a certificate."""

    socket: socket.socket
    certificate: Certificate | None = None


def listeners(address: Address, count: int, certificate: Certificate | None) -> list[Listener]:
    """Sockets that listen on the address, among which the kernel divides connections. Raises OSError."""
    # A plain socket is refused where another program listens; those that share a port are not.
    with _bound_alone(address) as alone:
        port = alone.getsockname()[1]
    sockets = [_bound(address._replace(port=port), socket.SO_REUSEPORT) for _ in range(count)]
    for one in sockets:
        one.listen(BACKLOG)
    return [Listener(one, certificate) for one in sockets]


def _bound_alone(address: Address) -> socket.socket:
    """A bound socket; processes of a `serve` that was killed may hold the address for a moment."""
    end = time.monotonic() + _BIND_SECONDS
    while True:
        try:
            return _bound(address)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > end:
                raise
        time.sleep(0.05)


def _bound(address: Address, *options: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET6 if ":" in address.host else socket.AF_INET)
    try:
        for option in (socket.SO_REUSEADDR, *options):
            bound.setsockopt(socket.SOL_SOCKET, option, 1)
        bound.bind((address.host, address.port))
    except BaseException:
        bound.close()
        raise
    return bound
