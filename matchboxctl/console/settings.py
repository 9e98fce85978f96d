"""The settings of a console."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from matchboxctl.cli.arguments import Address
from matchboxctl.serve.certificate import CertificateFiles
from matchboxctl.store.mode import StoreSettings


class ConsoleSettings(NamedTuple):
    """Where it listens, what it shows, and who may use it.

    Without a password, the address with the session secret opens it. Hosts other than addresses and `localhost` are
    answered if they are in `host_names`. It may end with its standard input.
    """

    address: Address
    store: StoreSettings | Path
    read_only: bool = False
    host_names: Collection[str] = ()
    certificate: CertificateFiles | None = None
    password: str = ""
    ends_with_input: bool = False

    @property
    def where(self) -> Sequence[str]:
        """The flags with which a command works on the same store; none if the environment chooses it."""
        if isinstance(self.store, Path):
            return "--data-path", str(self.store)
        return ("--stack", self.store.stack) if self.store.stack else ()

    @property
    def description(self) -> str:
        """What the console shows, for an operator."""
        return f"data directory {self.store}" if isinstance(self.store, Path) else self.store.description
