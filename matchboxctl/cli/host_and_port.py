"""Where is a server to listen? `HOST:PORT`, as matchbox's flags have it."""

from typing import NamedTuple

from matchboxctl.cli.errors import UsageError


class Address(NamedTuple):
    """A host, without brackets, and a port; 0 is any that is free."""

    host: str
    port: int

    @property
    def text(self) -> str:
        """As an address has it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def host_and_port(flag: str, address: str) -> Address:
    """The address that the flag gives. Raises UsageError."""
    host, separator, port = address.rpartition(":")
    if not separator or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise UsageError(f"{flag} {address!r} is not HOST:PORT")
    return Address(host.strip("[]") or "0.0.0.0", int(port))  # noqa: S104 (as matchbox reads `:8080`)
