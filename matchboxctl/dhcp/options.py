"""What the operator asks for, as it is given."""

from shlex import quote
from typing import NamedTuple

TFTP_ROOT = "/srv/tftp"
NO_RANGE = "none"
"""The range of a configuration for adding to one that gives addresses."""


class DhcpOptions(NamedTuple):
    """Arguments of `matchboxctl dhcp`; what is empty follows from the others."""

    server: str
    url: str
    tftp_root: str = ""
    tftp_server: str = ""
    interface: str = ""
    range: str = ""
    router: str = ""
    dns: str = ""
    proxy: bool = False
    secure_boot: bool = False

    @property
    def command(self) -> str:
        """The command that prints this configuration."""
        words = ["matchboxctl dhcp", self.server]
        for name, value in zip(self._fields[1:], self[1:], strict=True):
            if value:
                flag = f"--{name.replace('_', '-')}"
                words.append(flag if value is True else f"{flag} {quote(str(value))}")
        return " ".join(words)
