"""A network segment for one machine, with the servers it is given.

The segment is a namespace (root makes it, or any user where user namespaces are allowed). What the guest sends to the
places listed is carried to ports of this machine's loopback address.
"""

import json
import os
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import NamedTuple

from tests.boot.namespace import CARD
from tests.rigs.install import on_path

LOOPBACK = "127.0.0.1"
HOSTS_CARD = "eth0"
SETUP_SECONDS = 20
STALLED_SECONDS = 30


# Run by a shell in a namespace of its own, whose parent is that of the segment.
ON_OWN_HOST = f"""
ip link add {HOSTS_CARD} type veth peer name "$1" netns $PPID
nsenter --net=/proc/$PPID/ns/net ip link set "$1" master {CARD} up
ip address add "$2" dev {HOSTS_CARD}
ip link set {HOSTS_CARD} up
shift 2
exec "$@"
"""


class NetworkError(Exception):
    """The namespace, its network card or a server could not be made; the message shows the complaint."""


class Place(NamedTuple):
    """Where a guest finds a service: an address of the segment's, or LOOPBACK, and a TCP port."""

    address: str
    port: int


@contextmanager
def segment(
    addresses: Sequence[str],
    servers: Sequence[Sequence[str | Path]],
    places: Mapping[Place, int],
    scratch: Path,
    loopback: str = LOOPBACK,
) -> Iterator[int]:
    """Yields the descriptor of a tap device for QEMU's `-netdev tap,fd=`.

    `addresses` are those of its only other card, with their prefix lengths; `servers` are the command lines of the
    programs that run there; `places` says for each place, as the guest sees it, the port of this machine's `loopback`
    that answers. What the servers print is kept in `network.log` of `scratch`. Raises NetworkError and
    RigUnavailableError.
    """
    ours, theirs = socket.socketpair()
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    with ours, theirs, (scratch / "network.log").open("w+") as log:
        namespace = subprocess.Popen(
            [
                *(on_path("unshare", "util-linux"), "--net", *user),
                # Without -P modules of this directory would hide the standard library's.
                *(sys.executable, "-P", Path(__file__).with_name("namespace.py")),
                *(str(theirs.fileno()), on_path("ip", "iproute2"), ",".join(addresses)),
                ",".join(f"{address}:{port}" for address, port in places),
                *(json.dumps([str(word) for word in server]) for server in servers),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=[theirs.fileno()],
        )
        theirs.close()
        try:
            ours.settimeout(SETUP_SECONDS)
            try:
                _, descriptors, _, _ = socket.recv_fds(ours, 16, 1 + len(places))
            except TimeoutError:
                descriptors = []
            if not descriptors:
                log.seek(0)
                raise NetworkError(f"no network with its servers could be made, which takes root: {log.read().strip()}")
            tap, *listeners = descriptors
            with (
                os.fdopen(tap, "rb+", buffering=0),
                carried(listeners, [(loopback, port) for port in places.values()]),
            ):
                yield tap
        finally:
            ours.close()
            namespace.wait()


def on_own_host(name: str, address: str, command: Sequence[str | Path]) -> list[str | Path]:
    """The command line of a server on a host of its own, whose card is HOSTS_CARD, with this address and prefix length.

    `name` is that of the host's end at the segment. Raises RigUnavailableError.
    """
    shell = [on_path("unshare", "util-linux"), "--net", "sh", "-e", "-c", ON_OWN_HOST, "sh"]
    return [*shell, name, address, *command]


@contextmanager
def carried(listeners: Sequence[int], ends: Sequence[tuple[str, int]]) -> Iterator[None]:
    """Carries connections on each listening socket, given as a descriptor, to its address and port."""
    carriers = [Carrier(listener, end) for listener, end in zip(listeners, ends, strict=True)]
    threads = [threading.Thread(target=carrier.serve_forever, args=(0.1,)) for carrier in carriers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for carrier, thread in zip(carriers, threads, strict=True):
            carrier.stopping.set()
            carrier.shutdown()
            carrier.server_close()
            thread.join()


class Carrier(ThreadingTCPServer):
    """Carries the connections of one listening socket, which may belong to another network namespace."""

    def __init__(self, listener: int, end: tuple[str, int]) -> None:
        super().__init__((LOOPBACK, 0), Carriage, bind_and_activate=False)
        self.socket.close()
        self.socket = socket.socket(fileno=listener)
        self.end = end
        self.stopping = threading.Event()


class Carriage(BaseRequestHandler):
    """One connection: the first end that closes ends it, as every HTTP/1 client here expects."""

    server: Carrier

    def handle(self) -> None:
        with suppress(ConnectionError, TimeoutError), socket.create_connection(self.server.end) as there:
            here: socket.socket = self.request
            other_end = {here: there, there: here}
            for end in other_end:
                end.settimeout(STALLED_SECONDS)
            while not self.server.stopping.is_set():
                readable, _, _ = select.select(other_end, [], [], 0.2)
                for end in readable:
                    data = end.recv(1 << 16)
                    if not data:
                        return
                    other_end[end].sendall(data)
