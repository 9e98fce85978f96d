"""Where does a request go, and where may a registry lead it?

A registry's host is named by the operator; where its redirects and its token realm point is named by the registry. So
these lead to https, or to this machine, and never further inward than the registry itself is: from one on the
internet not into a private network, from one in a private network not to this machine. What counts is the address of
the connected peer, since a name can be made to mean any address.
"""

import enum
import ipaddress
import re
from typing import NamedTuple
from urllib.parse import quote, urljoin, urlsplit

from lambda_matchbox.oci.errors import RegistryError

_LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})
_DOCKER_HUB = frozenset({"docker.io", "index.docker.io"})
_DOCKER_HUB_HOST = "registry-1.docker.io"
_HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", re.ASCII)
_PORTS = {"http": 80, "https": 443}
# IPv4 in IPv6, as a NAT64 gateway (RFC 6052, section 2.1) has it.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_AS_IT_IS = "!#$%&'()*+,/:;=?@[]~"


class Reach(enum.IntEnum):
    """How far inward an address lies."""

    INTERNET = 0
    PRIVATE = 1
    MACHINE = 2


class Place(NamedTuple):
    """Where a request goes: an origin (scheme, host, port) and the target, which is path and query."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def origin(self) -> tuple[str, str, int]:
        """What two places have in common that may see each other's credentials (RFC 6454)."""
        return self[:3]

    @property
    def name(self) -> str:
        """The host, with the port where it is not the scheme's own: all of an address that may be shown."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def registry_place(registry: str) -> Place:
    """The root of the API of a registry, given by its host as image references have it. Raises RegistryError."""
    host = _DOCKER_HUB_HOST if registry.lower() in _DOCKER_HUB else registry
    parted = _parted(f"https://{host}/")
    return place(f"{'http' if parted.host in _LOOPBACK_HOSTS else 'https'}://{host}/")


def place(url: str) -> Place:
    """The place an absolute address names. Raises RegistryError where none may be asked there."""
    found = _parted(url)
    if found.scheme == "http" and found.host not in _LOOPBACK_HOSTS:
        raise RegistryError(f"{found.name} is to be asked without encryption; only https is used, except on 127.0.0.1")
    return found


def led_to(start: Place, location: str) -> Place:
    """The place that the header `Location` of an answer from `start` names. Raises RegistryError."""
    # Header fields arrive as latin-1; what is not ASCII in them stands for UTF-8 that was not encoded.
    location = quote(location.encode("latin-1", "replace"), safe=_AS_IT_IS)
    host = f"[{start.host}]" if ":" in start.host else start.host
    try:
        url = urljoin(f"{start.scheme}://{host}:{start.port}{start.target}", location)
    except ValueError:
        raise RegistryError(f"{start.name} redirects to an address that is none") from None
    return place(url)


def reach_of(address: str) -> Reach:
    """How far inward an IP address lies; the zone of an IPv6 address does not matter."""
    read = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(read, ipaddress.IPv6Address):
        inner = read.ipv4_mapped or read.sixtofour
        if read in _NAT64:
            inner = ipaddress.IPv4Address(int(read) & 0xFFFFFFFF)
        if inner is not None:
            return reach_of(str(inner))
    if read.is_loopback or read.is_link_local or read.is_unspecified:
        return Reach.MACHINE
    return Reach.INTERNET if read.is_global and not read.is_multicast else Reach.PRIVATE


def _parted(url: str) -> Place:
    # The address is not shown: what is signed or secret in it would be.
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        if ":" in host:
            host = str(ipaddress.IPv6Address(host))
    except ValueError:
        raise RegistryError("an address is none that can be asked: host or port are malformed") from None
    if parts.scheme not in _PORTS:
        raise RegistryError(f"an address begins {parts.scheme!r}; only https is used, and http on 127.0.0.1")
    if ":" not in host and not _HOST_NAME.fullmatch(host):
        raise RegistryError(f"{host!r} is no host")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Place(parts.scheme, host, _PORTS[parts.scheme] if port is None else port, target)
