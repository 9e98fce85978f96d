"""The flags that name files of certificates, which are matchbox's."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple


class FileFlag(NamedTuple):
    """A flag that names a file of TLS, and the file's name where the flag is not given."""

    flag: str
    file: str
    what: str

    @property
    def variable(self) -> str:
        """The variable that the flag comes before."""
        return "MATCHBOX_" + self.flag.removeprefix("--").replace("-", "_").upper()

    def default(self, environment: Mapping[str, str]) -> Path:
        """What it names unless given."""
        return Path(environment.get(self.variable) or f"/etc/matchbox/{self.file}")

    @property
    def help(self) -> str:
        """What it is, and its default."""
        return f"{self.what} ({self.variable}; default /etc/matchbox/{self.file})"


CA_FILE = FileFlag("--ca-file", "ca.crt", "certificate of the authority that clients' certificates have to be of")
CERT_FILE = FileFlag("--cert-file", "server.crt", "certificate of the gRPC server")
KEY_FILE = FileFlag("--key-file", "server.key", "its key")
