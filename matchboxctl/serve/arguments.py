"""Arguments of `matchboxctl serve`, which are matchbox's."""

import argparse
import os
from pathlib import Path

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

_DIGITS = 8


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
    serve(ServeSettings(options.address, http, processes, log, source, rpc_settings(options), options.sync, key))


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
