"""The flags of the gRPC API, which are matchbox's. grpc itself is heavy, and imported where it is asked for."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from matchboxctl.certs.file_flags import CA_FILE, CERT_FILE, KEY_FILE
from matchboxctl.cli.arguments import Address, parse_address

DEFAULT_ADDRESS = "127.0.0.1:8081"
"""Where `matchboxctl rpc` listens unless told otherwise; matchbox's clients ask there."""


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
    address = parse_address("--rpc-address (MATCHBOX_RPC_ADDRESS)", options.rpc_address)
    return RpcSettings(address, options.ca_file, options.cert_file, options.key_file)
