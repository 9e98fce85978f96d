"""`matchboxctl rpc`, and the flags of the gRPC API, which are matchbox's. Imports no grpc, which takes 80 ms."""

from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any

import click

from matchboxctl.certs.arguments import CA_FILE, CERT_FILE, KEY_FILE
from matchboxctl.cli.arguments import parse_address
from matchboxctl.cli.commands import Command
from matchboxctl.cli.errors import UsageError
from matchboxctl.cli.options import STORE_MODE, flag, log_flags, stack_flag
from matchboxctl.log.settings import LogSettings
from matchboxctl.rpc.settings import RpcSettings
from matchboxctl.store.arguments import required_store

_DEFAULT_ADDRESS = "127.0.0.1:8081"
"""The default address of `matchboxctl rpc`, and of matchbox."""


def rpc_flags(default_address: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The flags of gRPC, which is off by default if the default address is empty."""
    what = "where to serve gRPC for terraform-provider-matchbox and bootcmd"
    address = flag("--rpc-address", "HOST:PORT", what, default_address, shown="" if default_address else "off")
    files = [flag(each.flag, "FILE", each.what, each.default, type=Path) for each in (CA_FILE, CERT_FILE, KEY_FILE)]
    return lambda command: reduce(lambda function, add: add(function), [*files[::-1], address], command)


def rpc_settings(rpc_address: str, ca_file: Path, cert_file: Path, key_file: Path) -> RpcSettings | None:
    """The settings; None if gRPC is off. Raises UsageError."""
    if not rpc_address:
        return None
    address = parse_address("--rpc-address (MATCHBOX_RPC_ADDRESS)", rpc_address)
    return RpcSettings(address, ca_file, cert_file, key_file)


@click.command(cls=Command, epilog=STORE_MODE, examples=["matchboxctl rpc --ca-file DIR/ca.crt"])
@rpc_flags(_DEFAULT_ADDRESS)
@stack_flag
@log_flags
def rpc(rpc_address: str, stack: str, *, log_level: str, log_format: str | None, **files: Path) -> None:
    """Let Terraform and bootcmd edit table and bucket over gRPC.

    Run it beside Terraform, on the same machine: it serves matchbox's gRPC API with your AWS credentials. Clients need
    a certificate (matchboxctl certs).
    """
    from matchboxctl.rpc.command import rpc

    settings = rpc_settings(rpc_address, **files)
    if settings is None:
        raise UsageError("--rpc-address is empty: use HOST:PORT")
    rpc(required_store(stack), settings, LogSettings(log_level, log_format or ""))
