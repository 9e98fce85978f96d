"""Arguments of `matchboxctl serve`, which are matchbox's."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from matchboxctl.cli.arguments import (
    MODES,
    Commands,
    add_command,
    add_data_path,
    add_flag,
    add_log_flags,
    parse_log_settings,
    variable,
)
from matchboxctl.cli.errors import UsageError
from matchboxctl.rpc.arguments import add_rpc_arguments, rpc_settings

if TYPE_CHECKING:
    from matchboxctl.serve.command import HttpsSettings

_DIGITS = 8
_TRUE = ("1", "t", "T", "true", "TRUE", "True")
_FALSE = ("0", "f", "F", "false", "FALSE", "False")


def add_serve_command(commands: Commands) -> None:
    """Add `serve`."""
    parser = add_command(
        commands,
        "serve",
        "answer boot requests over HTTP",
        ". Changes of the data directory take effect with the next request.",
        epilog=MODES,
    )
    add_flag(parser, "--address", "HOST:PORT", "where to listen", "127.0.0.1:8080")
    add_data_path(parser, "directory with groups/, profiles/, ignition/, cloud/, generic/")
    assets = "directory of the files below /assets/"
    add_flag(parser, "--assets-path", "DIR", assets, shown="assets/ in the data directory")
    key = "OpenPGP key ring whose first key signs .sig and .asc; its passphrase is in MATCHBOX_PASSPHRASE"
    add_flag(parser, "--key-ring-path", "FILE", key, shown="none")
    parser.add_argument(
        "--sync", action="store_true", help="sync the image sources at the start and at their intervals"
    )
    names = "answer requests for these host names only, separated by commas; addresses are always answered"
    add_flag(parser, "--host-names", "NAMES", names, shown="any")
    limit = "connections that may be open, in each process"
    add_flag(parser, "--max-connections", "N", limit, "16384")
    limit = "connections that may be open from one address, in each process"
    add_flag(parser, "--max-connections-per-address", "N", limit, "1024")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    add_flag(parser, "--processes", "N", "processes that share the address", str(min(cores, 2)))
    parser.add_argument(
        "--web-ssl",
        metavar="BOOL",
        nargs="?",
        const="true",
        default=os.environ.get("MATCHBOX_WEB_SSL") or "false",
        help="serve https in place of http (MATCHBOX_WEB_SSL; default false)",
    )
    add_flag(parser, "--https-address", "HOST:PORT", "where to serve https beside http", shown="off")
    chain = "certificate of https, with those between it and its authority, in PEM; a new one is read within a second"
    add_flag(parser, "--web-cert-file", "FILE", chain, "/etc/matchbox/ssl/server.crt")
    add_flag(parser, "--web-key-file", "FILE", "its key, in PEM without a passphrase", "/etc/matchbox/ssl/server.key")
    add_rpc_arguments(parser, "")
    add_log_flags(parser)
    parser.set_defaults(run=_serve)


def _serve(options: argparse.Namespace) -> None:
    from matchboxctl.serve.backends import Directories
    from matchboxctl.serve.command import ServeSettings, serve
    from matchboxctl.serve.http_server import HttpSettings
    from matchboxctl.serve.key_ring import unlocked_key
    from matchboxctl.store.mode import StoreSettings, chosen_store

    log = parse_log_settings(options)
    source: Directories | StoreSettings | Path = chosen_store(options.data_path)
    if isinstance(source, Path):
        source = Directories(source, _assets_path(options.assets_path) or source / "assets")
    elif options.assets_path:
        raise UsageError(
            "--assets-path (MATCHBOX_ASSETS_PATH) cannot be combined with MATCHBOX_TABLE and MATCHBOX_BUCKET, whose "
            "assets are in the bucket: unset one of them"
        )
    # As with matchbox, the passphrase is read from the environment only.
    passphrase = os.environ.get("MATCHBOX_PASSPHRASE", "")
    key = unlocked_key(options.key_ring_path, passphrase) if options.key_ring_path else None
    http = HttpSettings(
        _number("--max-connections", options.max_connections),
        _number("--max-connections-per-address", options.max_connections_per_address),
        {name.strip().lower() for name in options.host_names.split(",") if name.strip()},
    )
    processes = _number("--processes", options.processes)
    https = _https(options)
    rpc = rpc_settings(options)
    serve(ServeSettings(options.address, http, https, processes, log, source, rpc, options.sync, key))


def _https(options: argparse.Namespace) -> "HttpsSettings | None":
    """The settings; None if https is off. Raises UsageError."""
    from matchboxctl.serve.certificate import CertificateFiles
    from matchboxctl.serve.command import HttpsSettings

    in_place = _is_true("--web-ssl", options.web_ssl)
    if in_place and options.https_address:
        raise UsageError("--web-ssl serves https in place of http, and --https-address beside it: use one of them")
    if not in_place and not options.https_address:
        return None
    return HttpsSettings(
        CertificateFiles(Path(options.web_cert_file), Path(options.web_key_file)), options.https_address
    )


def _is_true(flag: str, text: str) -> bool:
    """The value of a flag that is true or false, as Go reads it. Raises UsageError."""
    if text not in (*_TRUE, *_FALSE):
        raise UsageError(f"{flag} ({variable(flag)}) {text!r} is not true or false")
    return text in _TRUE


def _number(flag: str, text: str) -> int:
    """The number, which is at least 1. Raises UsageError."""
    if not (text.isascii() and text.isdigit() and len(text) < _DIGITS and int(text)):
        raise UsageError(f"{flag} ({variable(flag)}) {text!r} is not a number: use 1 or more")
    return int(text)


def _assets_path(given: str) -> Path | None:
    """The given directory of assets, which must exist. Raises UsageError."""
    if not given:
        return None
    # isdir is false, where is_dir raises, for a directory that may not be searched.
    if not os.path.isdir(given):  # noqa: PTH112
        raise UsageError(f"--assets-path (MATCHBOX_ASSETS_PATH) {given!r} is not a directory")
    return Path(given)
