"""`matchboxctl certs`, and the flags of TLS files, which are matchbox's."""

import ipaddress
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click

from matchboxctl.cli.arguments import variable
from matchboxctl.cli.commands import Command
from matchboxctl.cli.errors import UsageError
from matchboxctl.cli.options import argument, option, output_option

_DAYS = 365
_MAX_DAYS = 3650

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_DNS_NAME = re.compile(rf"(?:\*\.(?={_LABEL}\.))?{_LABEL}(?:\.{_LABEL})*")
"""A wildcard needs two more labels. Go accepts underscores."""


class FileFlag(NamedTuple):
    """A flag that names a TLS file, and the default name of the file."""

    flag: str
    file: str
    what: str

    @property
    def default(self) -> str:
        """The file if neither flag nor environment names one."""
        return f"/etc/matchbox/{self.file}"

    def path(self) -> Path:
        """The file if the flag is not given."""
        return Path(os.environ.get(variable(self.flag)) or self.default)


CA_FILE = FileFlag("--ca-file", "ca.crt", "certificate of the authority of the clients' certificates")
CERT_FILE = FileFlag("--cert-file", "server.crt", "certificate of the gRPC server")
KEY_FILE = FileFlag("--key-file", "server.key", "its key")


def _checked_file(flag: str, what: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return option(flag, metavar="FILE", type=Path, help=f"--check: {what}")


def _checked(each: FileFlag) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    what = f"that of DIR, else {each.what} ({variable(each.flag)}; default {each.default})"
    return _checked_file(each.flag, what)


def server_name(text: str) -> str:
    """The DNS name or address that clients connect to, in normal form. Raises UsageError."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        name = text.lower()
        # Digits after the last dot are those of an invalid address.
        if len(name) <= 253 and _DNS_NAME.fullmatch(name) and not name.rpartition(".")[2].isdecimal():
            return name
    else:
        if address.is_unspecified:
            raise UsageError(f"--name {text!r} stands for every address: name those that clients connect to")
        if not getattr(address, "scope_id", None):
            return str(address)
    raise UsageError(f"invalid --name {text!r}: use a host name or IP address, without scheme, port or brackets")


def _days(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text) <= _MAX_DAYS):
        raise click.BadParameter(f"invalid number of days {text!r}: use 1 to {_MAX_DAYS}")
    return int(text)


@click.command(
    cls=Command,
    epilog="Existing files are replaced by --renew only.",
    examples=["matchboxctl certs DIR --name 127.0.0.1 --name matchbox.example.com", "matchboxctl certs --check DIR"],
)
@argument("directory", metavar="[DIR]", type=Path, required=False)
@click.option(
    "--name",
    "names",
    metavar="HOST",
    multiple=True,
    help="a host name or IP address by which clients reach the server, such as 127.0.0.1 for `matchboxctl rpc` "
    "beside Terraform; may be repeated. --check: the server's certificate must be for it",
)
@click.option(
    "--days",
    metavar="N",
    type=_days,
    help=f"validity of the server's and the client's certificate (default {_DAYS}); the authority's is ten years",
)
@click.option(
    "--renew",
    is_flag=True,
    help="replace certificates and keys of server and client by new ones of the authority in DIR; names are kept "
    "unless --name is given",
)
@click.option(
    "--check",
    is_flag=True,
    help="check the files in DIR, or those that the server would use; exits with 1 if there are problems",
)
@_checked(CA_FILE)
@_checked(CERT_FILE)
@_checked(KEY_FILE)
@_checked_file("--client-cert-file", "a client's certificate (default client.crt beside the authority's, if it exists)")
@_checked_file("--client-key-file", "its key (default client.key beside it)")
@output_option()
def certs(
    directory: Path | None,
    names: Sequence[str],
    days: int | None,
    output: str,
    *,
    renew: bool,
    check: bool,
    **files: Path | None,
) -> None:
    """Create or check the certificates of gRPC.

    They are an authority (ca.crt, ca.key), and its certificates for the gRPC server (server.crt, server.key) and its
    clients (client.crt, client.key).
    """
    hosts = list(dict.fromkeys(map(server_name, names)))
    if check:
        if days is not None:
            raise UsageError("--days cannot be combined with --check")
        if renew:
            raise UsageError("--renew cannot be combined with --check")
        _check(directory, hosts, output, **files)
        return
    for name, given in files.items():
        if given is not None:
            raise UsageError(f"--{name.replace('_', '-')} is for --check only: files are created in DIR")
    if directory is None:
        raise UsageError("certs needs a directory: certs DIR --name HOST, or certs --check")
    if not hosts and not renew:
        raise UsageError(
            "certs needs --name HOST, the host name or IP address by which clients reach the server (127.0.0.1 for "
            "`matchboxctl rpc` beside Terraform): they refuse a certificate for any other"
        )
    from matchboxctl.certs import creation

    (creation.renew if renew else creation.create)(directory, hosts, days or _DAYS)


def _check(
    directory: Path | None,
    names: Sequence[str],
    output: str,
    *,
    ca_file: Path | None,
    cert_file: Path | None,
    key_file: Path | None,
    client_cert_file: Path | None,
    client_key_file: Path | None,
) -> None:
    from matchboxctl.certs.check import CheckedFiles, Pair, check

    # A directory of a client alone has no server's files.
    explicit = directory is None or cert_file or key_file or names
    authority, cert_file, key_file = (
        given or (directory / each.file if directory else each.path())
        for given, each in ((ca_file, CA_FILE), (cert_file, CERT_FILE), (key_file, KEY_FILE))
    )
    client_file = client_cert_file or authority.parent / "client.crt"
    client_key = client_key_file or client_file.parent / "client.key"
    client = Pair(client_file, client_key, bool(client_cert_file or client_key_file))
    server = Pair(cert_file, key_file, bool(explicit or client.is_absent))
    check(CheckedFiles(authority, server, client), names, output)
