"""Arguments of `matchboxctl certs`, and the flags of TLS files, which are matchbox's."""

import argparse
import ipaddress
import os
import re
from pathlib import Path
from typing import NamedTuple

from matchboxctl.cli.arguments import Commands, add_command, variable
from matchboxctl.cli.errors import UsageError

_DAYS = 365
_MAX_DAYS = 3650
_CHECK_ONLY = ("ca_file", "cert_file", "key_file", "client_cert_file", "client_key_file")

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_DNS_NAME = re.compile(rf"(?:\*\.(?={_LABEL}\.))?{_LABEL}(?:\.{_LABEL})*")
"""A wildcard needs two more labels. Go accepts underscores."""


class FileFlag(NamedTuple):
    """A flag that names a TLS file, and the default name of the file."""

    flag: str
    file: str
    what: str

    def default(self) -> Path:
        """The file if the flag is not given."""
        return Path(os.environ.get(variable(self.flag)) or f"/etc/matchbox/{self.file}")

    @property
    def help(self) -> str:
        """The help text, with the default."""
        return f"{self.what} ({variable(self.flag)}; default /etc/matchbox/{self.file})"


CA_FILE = FileFlag("--ca-file", "ca.crt", "certificate of the authority of the clients' certificates")
CERT_FILE = FileFlag("--cert-file", "server.crt", "certificate of the gRPC server")
KEY_FILE = FileFlag("--key-file", "server.key", "its key")


def add_certs_command(commands: Commands) -> None:
    """Add `certs`."""
    parser = add_command(
        commands,
        "certs",
        "create or check the certificates of gRPC",
        ": an authority (ca.crt, ca.key), and its certificates for the gRPC server (server.crt, server.key) and its "
        "clients (client.crt, client.key).",
        epilog="Existing files are replaced by --renew only.",
    )
    parser.add_argument("directory", metavar="DIR", nargs="?", type=Path, help="the directory of these files")
    parser.add_argument(
        "--name",
        metavar="HOST",
        action="append",
        default=[],
        help="a host name or IP address by which clients reach the server, such as 127.0.0.1 for `matchboxctl rpc` "
        "beside Terraform; may be repeated. --check: the server's certificate must be for it",
    )
    parser.add_argument(
        "--days",
        metavar="N",
        type=_days,
        help=f"validity of the server's and the client's certificate (default {_DAYS}); the authority's is ten years",
    )
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument(
        "--renew",
        action="store_true",
        help="replace certificates and keys of server and client by new ones of the authority in DIR; names are kept "
        "unless --name is given",
    )
    mode.add_argument(
        "--check",
        action="store_true",
        help="check the files in DIR, or those that the server would use; exits with 1 if there are problems",
    )
    for each in (CA_FILE, CERT_FILE, KEY_FILE):
        parser.add_argument(each.flag, metavar="FILE", type=Path, help=f"--check: that of DIR, else {each.help}")
    for flag, what in (
        ("--client-cert-file", "a client's certificate (default client.crt beside the authority's, if it exists)"),
        ("--client-key-file", "its key (default client.key beside it)"),
    ):
        parser.add_argument(flag, metavar="FILE", type=Path, help=f"--check: {what}")
    parser.set_defaults(run=_certs)


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
        raise argparse.ArgumentTypeError(f"invalid number of days {text!r}: use 1 to {_MAX_DAYS}")
    return int(text)


def _certs(options: argparse.Namespace) -> None:
    names = list(dict.fromkeys(map(server_name, options.name)))
    if options.check:
        if options.days is not None:
            raise UsageError("--days cannot be combined with --check")
        _check(options, names)
        return
    for flag in _CHECK_ONLY:
        if getattr(options, flag) is not None:
            raise UsageError(f"--{flag.replace('_', '-')} is for --check only: files are created in DIR")
    if options.directory is None:
        raise UsageError("certs needs a directory: certs DIR --name HOST, or certs --check")
    if not names and not options.renew:
        raise UsageError(
            "certs needs --name HOST, the host name or IP address by which clients reach the server (127.0.0.1 for "
            "`matchboxctl rpc` beside Terraform): they refuse a certificate for any other"
        )
    from matchboxctl.certs.creation import create, renew

    (renew if options.renew else create)(options.directory, names, options.days or _DAYS)


def _check(options: argparse.Namespace, names: list[str]) -> None:
    from matchboxctl.certs.check import CheckedFiles, Pair, check

    ca_file, cert_file, key_file = (
        given or (options.directory / each.file if options.directory else each.default())
        for given, each in (
            (options.ca_file, CA_FILE),
            (options.cert_file, CERT_FILE),
            (options.key_file, KEY_FILE),
        )
    )
    client_file = options.client_cert_file or ca_file.parent / "client.crt"
    client_key_file = options.client_key_file or client_file.parent / "client.key"
    client = Pair(client_file, client_key_file, bool(options.client_cert_file or options.client_key_file))
    # A directory of a client alone has no server's files.
    explicit = options.directory is None or options.cert_file or options.key_file or names
    server = Pair(cert_file, key_file, bool(explicit or client.is_absent))
    check(CheckedFiles(ca_file, server, client), names)
