"""A network for one machine, with dnsmasq as its DHCP and TFTP server, and as that of a name.

QEMU's built-in DHCP server names one boot file and nothing else. UEFI's HTTP boot wants the vendor class `HTTPClient`
in the answer, and iPXE another boot file than the firmware that loaded it. The network is a namespace (root makes it,
or any user where user namespaces are allowed); addresses are those of QEMU's built-in network. What the guest sends to
the places listed is carried to ports of this machine's 127.0.0.1.
"""

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

from tests.boot.machine import Machine
from tests.rigs.install import on_path

HOST = "10.0.2.2"
SECOND_HOST = "10.0.2.4"
LOOPBACK = "127.0.0.1"
GUEST = "10.0.2.15"
PREFIX = 24
SETUP_SECONDS = 20
STALLED_SECONDS = 30
FILES = {"pid-file": "pid", "dhcp-leasefile": "leases", "log-facility": "log"}


class NetworkError(Exception):
    """The namespace, its network card or the DHCP server could not be made; the message shows the complaint."""


class Place(NamedTuple):
    """Where a guest finds a service: HOST, SECOND_HOST or LOOPBACK, and a TCP port."""

    address: str
    port: int


@contextmanager
def dhcp_network(
    machine: Machine,
    boot_options: Sequence[str],
    places: Mapping[Place, int],
    scratch: Path,
    name: str | None = None,
    proxy_options: Sequence[str] = (),
) -> Iterator[int]:
    """Yields the descriptor of a tap device for QEMU's `-netdev tap,fd=`.

    `boot_options` are lines of dnsmasq's configuration; `places` says for each place, as the guest sees it, the port of
    this machine's 127.0.0.1 that answers. HOST may have a `name`, the only one that there is. With `proxy_options`, a
    second server with these lines tells what to boot, beside the one that gives addresses. dnsmasq's logs are kept in
    `scratch`. Raises NetworkError and RigUnavailableError.
    """
    configurations = {"dnsmasq": [*dhcp_options(machine), *name_options(name), *boot_options]}
    if proxy_options:
        configurations["proxy"] = ["port=0", *proxy_options]
    files = []
    for server, options in configurations.items():
        files.append(scratch / f"{server}.conf")
        files[-1].write_text("\n".join([*server_options(server, scratch), *options, ""]))
    ours, theirs = socket.socketpair()
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    with ours, theirs, (scratch / "network.log").open("w+") as log:
        namespace = subprocess.Popen(
            [
                *(on_path("unshare", "util-linux"), "--net", *user),
                # Without -P modules of this directory would hide the standard library's.
                *(sys.executable, "-P", Path(__file__).with_name("namespace.py")),
                *(str(theirs.fileno()), on_path("ip", "iproute2"), f"{HOST}/{PREFIX},{SECOND_HOST}/{PREFIX}"),
                ",".join(f"{address}:{port}" for address, port in places),
                *(on_path("dnsmasq", "dnsmasq-base"), *files),
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
                raise NetworkError(
                    f"no network with a DHCP server could be made, which takes root: {log.read().strip()}"
                )
            tap, *listeners = descriptors
            with os.fdopen(tap, "rb+", buffering=0), carried(listeners, list(places.values())):
                yield tap
        finally:
            ours.close()
            namespace.wait()


def server_options(server: str, scratch: Path) -> list[str]:
    return [
        "interface=tap0",
        "bind-interfaces",
        # No change of user, nor of group, which a user namespace would refuse: the scratch directory is private.
        "user=root",
        "group=",
        "log-dhcp",
        *(f"{option}={scratch / server}.{end}" for option, end in FILES.items()),
    ]


def dhcp_options(machine: Machine) -> list[str]:
    return [
        f"dhcp-range={GUEST},{GUEST}",
        f"dhcp-host={machine.mac},{GUEST},{machine.hostname}",
        f"domain={machine.domain}",
        "dhcp-authoritative",
        "no-ping",
    ]


def name_options(name: str | None) -> list[str]:
    return ["port=0"] if name is None else ["no-resolv", "no-hosts", f"address=/{name}/{HOST}"]


@contextmanager
def carried(listeners: Sequence[int], ports: Sequence[int]) -> Iterator[None]:
    """Carries connections on each listening socket, given as a descriptor, to its port of 127.0.0.1."""
    carriers = [Carrier(listener, port) for listener, port in zip(listeners, ports, strict=True)]
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

    def __init__(self, listener: int, port: int) -> None:
        super().__init__((HOST, 0), Carriage, bind_and_activate=False)
        self.socket.close()
        self.socket = socket.socket(fileno=listener)
        self.port = port
        self.stopping = threading.Event()


class Carriage(BaseRequestHandler):
    """One connection: the first end that closes ends it, as every HTTP/1 client here expects."""

    server: Carrier

    def handle(self) -> None:
        with (
            suppress(ConnectionError, TimeoutError),
            socket.create_connection((LOOPBACK, self.server.port)) as there,
        ):
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
