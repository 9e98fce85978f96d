"""Values of arguments that commands share."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from matchboxctl.cli.errors import UsageError

DATA_PATH = "/var/lib/matchbox"
"""The default data directory, as with matchbox."""

_LAST_PORT = 65535


class Address(NamedTuple):
    """A host without brackets, and a port; port 0 is any free one."""

    host: str
    port: int

    @property
    def text(self) -> str:
        """`HOST:PORT`, with brackets around an IPv6 address."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def variable(name: str) -> str:
    """The environment variable of a flag: that of `--data-path` is MATCHBOX_DATA_PATH."""
    return "MATCHBOX_" + name.removeprefix("--").replace("-", "_").upper()


def share() -> Path:
    """Where a user's programs look for files about others; for root, where those of all users look.

    Raises UsageError if the user has no home directory.
    """
    if os.geteuid() == 0:
        return Path("/usr/local/share")
    named = os.environ.get("XDG_DATA_HOME", "")
    try:
        return Path(named) if Path(named).is_absolute() else Path.home() / ".local" / "share"
    except RuntimeError as error:
        raise UsageError("there is no home directory: name a directory by --share") from error


def check_data_path(path: Path) -> None:
    """Raise UsageError if the data directory does not exist."""
    if not path.is_dir():
        raise UsageError(f"{path} is not a directory: set --data-path to matchbox's data directory")


def parse_labels(labels: Sequence[str]) -> list[tuple[str, str]]:
    """Keys and values in order; a key may occur twice. Raises UsageError."""
    pairs = []
    for label in labels:
        key, equals, value = label.partition("=")
        if not key or not equals:
            raise UsageError(f"invalid --label {label!r}: use KEY=VALUE, such as mac=52:54:00:12:34:56")
        pairs.append((key, value))
    return pairs


def parse_address(flag: str, address: str) -> Address:
    """The address given for the flag. Raises UsageError."""
    host, separator, port = address.rpartition(":")
    if not separator or not (port.isascii() and port.isdigit()):
        raise UsageError(f"invalid {flag} {address!r}: use HOST:PORT")
    if int(port) > _LAST_PORT:
        raise UsageError(f"invalid {flag} {address!r}: ports end at {_LAST_PORT}")
    return Address(host.strip("[]") or "0.0.0.0", int(port))  # noqa: S104 (as matchbox reads `:8080`)
