"""A program that makes a new network namespace a segment with a machine's cable, servers and listening sockets.

Arguments: the number of an open Unix socket, the path of `ip`, the network's addresses with their prefix length, joined
by commas, where to listen (`ADDRESS:PORT`), joined by commas, and for each server its command line in JSON. Over the
Unix socket go, once all is up, the descriptors of the cable (a tap device) and of the listening sockets. The program
ends when that socket is closed.
"""

import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

CARD = "lan"
"""The segment's bridge, and the card of all servers that have no host of their own."""

TAP = "tap0"
TUNSETIFF = 0x400454CA
IFF_TAP = 0x0002
IFF_NO_PI = 0x1000


def main() -> None:
    number, ip, addresses, places, *commands = sys.argv[1:]
    tap = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", TAP.encode(), IFF_TAP | IFF_NO_PI))
    subprocess.run([ip, "link", "add", CARD, "type", "bridge"], check=True)
    subprocess.run([ip, "link", "set", TAP, "master", CARD], check=True)
    # No address of the card is looked for on the network before it is used, which would take a second.
    Path("/proc/sys/net/ipv6/conf", CARD, "accept_dad").write_text("0")
    for address in addresses.split(","):
        subprocess.run([ip, "address", "add", address, "dev", CARD], check=True)
    for card in ("lo", TAP, CARD):
        subprocess.run([ip, "link", "set", card, "up"], check=True)
    # Kea never serves a card that does not run when it starts.
    while b" state UP " not in subprocess.run([ip, "link", "show", CARD], stdout=subprocess.PIPE, check=True).stdout:
        time.sleep(0.01)
    # As in QEMU's built-in network, what a guest sends to 127.0.0.1 arrives there and not at itself.
    Path("/proc/sys/net/ipv4/conf", CARD, "route_localnet").write_text("1")
    listeners = [listener(place) for place in filter(None, places.split(","))]
    servers = [subprocess.Popen(json.loads(command)) for command in commands]
    try:
        for server in servers:
            check_running(server)
        with socket.socket(fileno=int(number)) as owner:
            socket.send_fds(owner, [b"up"], [tap, *(listener.fileno() for listener in listeners)])
            owner.recv(1)
    finally:
        for server in servers:
            server.terminate()
            server.wait()


def listener(place: str) -> socket.socket:
    address, _, port = place.rpartition(":")
    return socket.create_server((address, int(port)), family=socket.AF_INET6 if ":" in address else socket.AF_INET)


def check_running(server: "subprocess.Popen[bytes]") -> None:
    """Ends this program if a server does not like its configuration: it says so and exits at once."""
    try:
        code = server.wait(0.5)
    except subprocess.TimeoutExpired:
        return
    sys.exit(f"{server.args!r} ended with code {code}")


if __name__ == "__main__":
    main()
