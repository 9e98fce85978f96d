"""The flags of the gRPC API, which are matchbox's. grpc itself is heavy, and imported where it is asked for."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from matchboxctl.host_and_port import Address, host_and_port

DEFAULT_ADDRESS = "127.0.0.1:8081"
"""Where `matchboxctl rpc` listens unless told otherwise; matchbox's clients ask there."""


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
        return f"{self.what} ({self.variable}; else /etc/matchbox/{self.file})"


CA_FILE = FileFlag("--ca-file", "ca.crt", "certificate of the authority that clients' certificates have to be of")
CERT_FILE = FileFlag("--cert-file", "server.crt", "certificate of the gRPC server")
KEY_FILE = FileFlag("--key-file", "server.key", "its key")


class RpcSettings(NamedTuple):
    """Where gRPC is served, and the files of its certificates, in PEM."""

    address: Address
    ca_file: Path
    cert_file: Path
    key_file: Path


def add_rpc_arguments(parser: argparse.ArgumentParser, environment: Mapping[str, str], default_address: str) -> None:
    """Add them; an empty default leaves gRPC off."""
    parser.add_argument(
        "--rpc-address",
        metavar="HOST:PORT",
        default=environment.get("MATCHBOX_RPC_ADDRESS") or default_address,
        help="where to serve gRPC, to terraform-provider-matchbox and bootcmd (MATCHBOX_RPC_ADDRESS; else "
        f"{default_address or 'not at all'})",
    )
    for each in (CA_FILE, CERT_FILE, KEY_FILE):
        parser.add_argument(each.flag, metavar="FILE", type=Path, default=each.default(environment), help=each.help)


def rpc_settings(options: argparse.Namespace) -> RpcSettings | None:
    """What was asked for; None where gRPC is off. Raises UsageError."""
    if not options.rpc_address:
        return None
    address = host_and_port("--rpc-address (MATCHBOX_RPC_ADDRESS)", options.rpc_address)
    return RpcSettings(address, options.ca_file, options.cert_file, options.key_file)
