"""Which Host headers a server answers."""

from collections.abc import Collection
from ipaddress import ip_address


def is_known_host(header: str, names: Collection[str]) -> bool:
    """Whether a Host header has one of the names, or an address, which no page can rebind."""
    name = header.rpartition(":")[0] if not header.endswith("]") and ":" in header else header
    return name.lower().rstrip(".") in names or _is_address(name.strip("[]"))


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
