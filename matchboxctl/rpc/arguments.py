"""The flags of the gRPC API, which are matchbox's. Imports no grpc, which takes 80 ms."""

import argparse
from pathlib import Path

from matchboxctl.certs.arguments import CA_FILE, CERT_FILE, KEY_FILE
from matchboxctl.cli.arguments import (
    STORE_MODE,
    Commands,
    add_command,
    add_flag,
    add_log_flags,
    parse_address,
    parse_log_settings,
)
from matchboxctl.cli.errors import UsageError
from matchboxctl.rpc.settings import RpcSettings
from matchboxctl.store.arguments import required_store

_DEFAULT_ADDRESS = "127.0.0.1:8081"
"""The default address of `matchboxctl rpc`, and of matchbox."""


def add_rpc_command(commands: Commands) -> None:
    """Add `rpc`."""
    parser = add_command(
        commands,
        "rpc",
        "let Terraform and bootcmd edit table and bucket over gRPC",
        ". Run it beside Terraform, on the same machine: it serves matchbox's gRPC API with your AWS credentials. "
        "Clients need a certificate (matchboxctl certs).",
        epilog=STORE_MODE,
    )
    add_rpc_arguments(parser, _DEFAULT_ADDRESS)
    add_log_flags(parser)
    parser.set_defaults(run=_rpc)


def add_rpc_arguments(parser: argparse.ArgumentParser, default_address: str) -> None:
    """Add the flags; gRPC is off by default if the default address is empty."""
    what = "where to serve gRPC for terraform-provider-matchbox and bootcmd"
    add_flag(parser, "--rpc-address", "HOST:PORT", what, default_address, shown=default_address or "off")
    for each in (CA_FILE, CERT_FILE, KEY_FILE):
        parser.add_argument(each.flag, metavar="FILE", type=Path, default=each.default(), help=each.help)


def rpc_settings(options: argparse.Namespace) -> RpcSettings | None:
    """The settings; None if gRPC is off. Raises UsageError."""
    if not options.rpc_address:
        return None
    address = parse_address("--rpc-address (MATCHBOX_RPC_ADDRESS)", options.rpc_address)
    return RpcSettings(address, options.ca_file, options.cert_file, options.key_file)


def _rpc(options: argparse.Namespace) -> None:
    from matchboxctl.rpc.command import rpc

    settings = rpc_settings(options)
    if settings is None:
        raise UsageError("--rpc-address is empty: use HOST:PORT")
    rpc(required_store(options), settings, parse_log_settings(options))
