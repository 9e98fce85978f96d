"""Addresses of requests, and where a registry may redirect them.

The operator names a registry's host; the registry names the targets of its redirects and its token endpoint. These have
to use https, or be on this machine, and must not lie further inside than the registry itself: one on the internet does
not lead into a private network, one in a private network not to this machine. The address of the connected peer counts,
since a name can resolve to any address.
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
_SAFE = "!#$%&'()*+,/:;=?@[]~"


class NetworkZone(enum.IntEnum):
    """Where an address lies, from the outside to the inside."""

    INTERNET = 0
    PRIVATE = 1
    LOCAL = 2


class Location(NamedTuple):
    """The destination of a request: an origin (scheme, host, port) and the target, which is path and query."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def origin(self) -> tuple[str, str, int]:
        """What locations that may share credentials have in common (RFC 6454)."""
        return self[:3]

    @property
    def name(self) -> str:
        """The host, with the port where it is not the scheme's default; safe to show."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def registry_location(registry: str) -> Location:
    """The root of the API of a registry, given by its host as in image references. Raises RegistryError."""
    host = _DOCKER_HUB_HOST if registry.lower() in _DOCKER_HUB else registry
    parsed = _parsed(f"https://{host}/")
    return parse_location(f"{'http' if parsed.host in _LOOPBACK_HOSTS else 'https'}://{host}/")


def parse_location(url: str) -> Location:
    """The location in an absolute URL. Raises RegistryError for one that must not be used."""
    location = _parsed(url)
    if location.scheme == "http" and location.host not in _LOOPBACK_HOSTS:
        raise RegistryError(f"{location.name} uses http, which is allowed for 127.0.0.1 only; use https")
    return location


def redirect_target(source: Location, header: str) -> Location:
    """The location in the header `Location` of a response from `source`. Raises RegistryError."""
    # Header fields arrive as latin-1; what is not ASCII in them stands for UTF-8 that was not encoded.
    header = quote(header.encode("latin-1", "replace"), safe=_SAFE)
    host = f"[{source.host}]" if ":" in source.host else source.host
    try:
        url = urljoin(f"{source.scheme}://{host}:{source.port}{source.target}", header)
    except ValueError:
        raise RegistryError(f"{source.name} redirects to a malformed URL") from None
    return parse_location(url)


def zone_of(address: str) -> NetworkZone:
    """The zone of an IP address; the scope id of an IPv6 address is ignored."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour
        if parsed in _NAT64:
            inner = ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
        if inner is not None:
            return zone_of(str(inner))
    if parsed.is_loopback or parsed.is_link_local or parsed.is_unspecified:
        return NetworkZone.LOCAL
    return NetworkZone.INTERNET if parsed.is_global and not parsed.is_multicast else NetworkZone.PRIVATE


def _parsed(url: str) -> Location:
    # The URL is not shown, since it may be signed or hold a secret.
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        if ":" in host:
            host = str(ipaddress.IPv6Address(host))
    except ValueError:
        raise RegistryError("malformed URL: invalid host or port") from None
    if parts.scheme not in _PORTS:
        raise RegistryError(f"invalid URL scheme {parts.scheme!r}; use https, or http for 127.0.0.1")
    if ":" not in host and not _HOST_NAME.fullmatch(host):
        raise RegistryError(f"invalid host {host!r}")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Location(parts.scheme, host, _PORTS[parts.scheme] if port is None else port, target)
