"""The settings of the gRPC server."""

from pathlib import Path
from typing import NamedTuple

from matchboxctl.cli.arguments import Address


class RpcSettings(NamedTuple):
    """The address to listen on, and PEM files of certificates."""

    address: Address
    ca_file: Path
    cert_file: Path
    key_file: Path
