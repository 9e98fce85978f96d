"""What may stand in the columns of a list of nodes."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from ipaddress import ip_address, ip_interface

from lambda_matchbox.golang.hardware_address import normalise_mac
from lambda_matchbox.machines.identities import identity

ROLES = ("controlplane", "worker")

_HOSTNAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
_INTERFACE = re.compile(r"[A-Za-z0-9_.@-]{1,64}")


def _mac(text: str) -> str:
    mac = normalise_mac(text)
    if int(mac[:2], 16) & 1 or not mac.strip("0:"):
        raise ValueError(f"MAC address {text} is no machine's: it is of a group, or zero")
    return mac


def _uuid(text: str) -> str:
    if not (uuid := identity(text).uuid):
        raise ValueError(f"invalid UUID {text!r}, or one that many machines have")
    return uuid


def _role(text: str) -> str:
    if text.lower() not in ROLES:
        raise ValueError(f"unknown role {text!r}: use {' or '.join(ROLES)}")
    return text.lower()


def _hostname(text: str) -> str:
    if not _HOSTNAME.fullmatch(text):
        raise ValueError(f"invalid host name {text!r}: use lower-case letters, digits, hyphens and dots")
    return text


def _disk(text: str) -> str:
    if not text.startswith("/dev/"):
        raise ValueError(f"install disk {text!r} does not begin with /dev/")
    return text


def _interface(text: str) -> str:
    if not _INTERFACE.fullmatch(text):
        raise ValueError(f"invalid interface {text!r}")
    return text


def _gateway(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise ValueError(f"invalid gateway {text!r}") from None


CHECKS: Mapping[str, Callable[[str], str]] = {
    "mac": _mac,
    "uuid": _uuid,
    "role": _role,
    "hostname": _hostname,
    "disk": _disk,
    "interface": _interface,
    "gateway": _gateway,
}
"""The normal forms of what columns have; ValueError for what cannot be."""


def address_problems(addresses: Sequence[str], gateway: str, *, has_link: bool) -> Iterator[str]:
    """What is wrong with a node's addresses and gateway; `has_link` if it is known which interface has them."""
    networks = []
    for address in addresses:
        try:
            networks.append(ip_interface(address).network)
        except ValueError:
            yield f"invalid address {address!r}"
            continue
        if "/" not in address:
            yield f"address {address} needs the length of its network's prefix, such as {address}/24"
    if addresses and not has_link:
        yield "an address needs a MAC address or an interface"
    if gateway and not addresses:
        yield "a gateway needs an address"
    elif gateway and networks:
        router = ip_address(gateway)
        if not router.is_link_local and not any(router in network for network in networks):
            yield f"gateway {gateway} is not in the network of {' or '.join(addresses)}"
