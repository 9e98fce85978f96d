"""By which address do other machines reach this one?"""

import ipaddress
import socket
import struct
from collections.abc import Iterator

_SIOCGIFADDR = 0x8915
"""Linux's request for an interface's IPv4 address (netdevice(7))."""


def is_loopback(host: str) -> bool:
    """Whether this machine alone reaches `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def own_address() -> str | None:
    """The IPv4 address on the way to everywhere else, or the first that an interface has; None where there is none.

    Nothing is sent to find it.
    """
    for address in (_towards_others(), *_of_interfaces()):
        if address and not (is_loopback(address) or ipaddress.ip_address(address).is_unspecified):
            return address
    return None


def _towards_others() -> str | None:
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
        import fcntl
    except ImportError:
        return
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        for _, name in socket.if_nameindex():
            try:
                answer = fcntl.ioctl(asked, _SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
            except OSError:
                # It has no such address, or this is another system.
                continue
            yield socket.inet_ntoa(answer[20:24])
