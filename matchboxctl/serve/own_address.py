"""The address at which other machines reach this one."""

import fcntl
import ipaddress
import socket
import struct
from collections.abc import Iterator

_SIOCGIFADDR = 0x8915
"""Linux's request for an interface's IPv4 address (netdevice(7))."""


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_unspecified(host: str) -> bool:
    """Whether `host` stands for every address of this machine."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def own_address() -> str | None:
    """The IPv4 address of the default route, or else of the first interface that has one; None without any.

    No packet is sent.
    """
    for address in (_of_default_route(), *_of_interfaces()):
        if address and not (is_loopback(address) or ipaddress.ip_address(address).is_unspecified):
            return address
    return None


def _of_default_route() -> str | None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            # No default route.
            return None
        address: str = probe.getsockname()[0]
        return address


def _of_interfaces() -> Iterator[str]:
    try:
        interfaces = socket.if_nameindex()
    except OSError:
        # A sandbox without netlink, such as systemd's RestrictAddressFamilies.
        return
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in interfaces:
            try:
                found = fcntl.ioctl(probe, _SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
            except OSError:
                # The interface has no IPv4 address, or this is not Linux.
                continue
            yield socket.inet_ntoa(found[20:24])
