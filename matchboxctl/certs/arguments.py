"""The command that makes and checks certificates: its arguments, and what it calls."""

import argparse
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from matchboxctl.certs.file_flags import CA_FILE, CERT_FILE, KEY_FILE
from matchboxctl.cli.errors import UsageError

_DAYS = 365
_MOST_DAYS = 3650
_FLAGS = ("ca_file", "cert_file", "key_file", "client_cert_file", "client_key_file")


def add_certs_command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", environment: Mapping[str, str]
) -> None:
    """Add `certs`."""
    made = commands.add_parser(
        "certs",
        help="make or check the certificates of gRPC",
        description="Make an authority (ca.crt, ca.key), and certificates of it for the gRPC server (server.crt, "
        "server.key) and its clients (client.crt, client.key), or say what is wrong with a set of them. Files that are "
        "there are left as they are.",
        allow_abbrev=False,
    )
    made.add_argument("directory", metavar="DIR", nargs="?", type=Path, help="the directory of these files")
    made.add_argument(
        "--name",
        metavar="HOST",
        action="append",
        default=[],
        help="a host name or IP address by which clients reach the server, such as 127.0.0.1 for a bridge beside "
        "Terraform; may be given several times. --check: is the server's certificate for it?",
    )
    made.add_argument(
        "--days",
        metavar="N",
        type=_days,
        help=f"how long the server's and the client's certificate count ({_DAYS}); the authority's counts ten years",
    )
    what = made.add_mutually_exclusive_group()
    what.add_argument(
        "--renew",
        action="store_true",
        help="make new certificates and keys for server and client, of the authority in DIR, in the others' place; "
        "names are kept unless given",
    )
    what.add_argument(
        "--check",
        action="store_true",
        help="say what is wrong with the files in DIR, or with those that the server would take; ends with 1 if "
        "something is",
    )
    for each in (CA_FILE, CERT_FILE, KEY_FILE):
        made.add_argument(each.flag, metavar="FILE", type=Path, help=f"--check: that of DIR, else {each.help}")
    for flag, what_else in (
        ("--client-cert-file", "a client's certificate (client.crt beside the authority's, if it is there)"),
        ("--client-key-file", "its key (client.key beside it)"),
    ):
        made.add_argument(flag, metavar="FILE", type=Path, help=f"--check: {what_else}")
    made.set_defaults(run=partial(_certs, environment))


def _days(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text) <= _MOST_DAYS):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of days up to {_MOST_DAYS}")
    return int(text)


def _certs(environment: Mapping[str, str], options: argparse.Namespace) -> None:
    from matchboxctl.certs.server_names import server_name

    names = list(dict.fromkeys(map(server_name, options.name)))
    if options.check:
        if options.days is not None:
            raise UsageError("--days is of certificates that are made: --check makes none")
        _check(options, environment, names)
        return
    for flag in _FLAGS:
        if getattr(options, flag) is not None:
            raise UsageError(
                f"--{flag.replace('_', '-')} goes with --check: what is made lies in DIR, by its own names"
            )
    if options.directory is None:
        raise UsageError("certs needs a directory for what it makes: certs DIR --name HOST, or certs --check")
    if not names and not options.renew:
        raise UsageError(
            "certs needs --name HOST: the host name or IP address by which clients reach the server (127.0.0.1 for "
            "`matchboxctl rpc` beside Terraform); they refuse a certificate for another"
        )
    from matchboxctl.certs.making import make, renew

    (renew if options.renew else make)(options.directory, names, options.days or _DAYS)


def _check(options: argparse.Namespace, environment: Mapping[str, str], names: list[str]) -> None:
    from matchboxctl.certs.check import CheckedFiles, Pair, check

    ca_file, cert_file, key_file = (
        given or (options.directory / each.file if options.directory else each.default(environment))
        for given, each in (
            (options.ca_file, CA_FILE),
            (options.cert_file, CERT_FILE),
            (options.key_file, KEY_FILE),
        )
    )
    client_file = options.client_cert_file or ca_file.parent / "client.crt"
    client_key_file = options.client_key_file or client_file.parent / "client.key"
    client = Pair(client_file, client_key_file, bool(options.client_cert_file or options.client_key_file))
    # In a directory that is a client's alone there is no server's.
    asked = options.directory is None or options.cert_file or options.key_file or names
    server = Pair(cert_file, key_file, bool(asked or client.absent))
    check(CheckedFiles(ca_file, server, client), names)
