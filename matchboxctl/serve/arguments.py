"""Arguments of `matchboxctl serve`, which are matchbox's."""

import argparse
import os
from collections.abc import Mapping
from pathlib import Path

from matchboxctl.cli.arguments import DATA_PATH, MODES, add_data_path, add_log_level, parse_log_level
from matchboxctl.cli.errors import UsageError
from matchboxctl.rpc.arguments import add_rpc_arguments, rpc_settings


def add_serve_command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", environment: Mapping[str, str]
) -> None:
    """Add `serve`."""
    parser = commands.add_parser(
        "serve",
        help="answer boot requests over HTTP",
        description="Answer boot requests over HTTP. Changes of the data directory take effect with the next request.",
        epilog=MODES,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--address",
        metavar="HOST:PORT",
        default=environment.get("MATCHBOX_ADDRESS") or "127.0.0.1:8080",
        help="where to listen (MATCHBOX_ADDRESS; default 127.0.0.1:8080)",
    )
    add_data_path(parser, environment, "directory with groups/, profiles/, ignition/, cloud/, generic/")
    parser.add_argument(
        "--assets-path",
        metavar="DIR",
        default=environment.get("MATCHBOX_ASSETS_PATH"),
        help="directory of the files below /assets/ (MATCHBOX_ASSETS_PATH; default assets/ in the data directory)",
    )
    parser.add_argument(
        "--key-ring-path",
        metavar="FILE",
        default=environment.get("MATCHBOX_KEY_RING_PATH"),
        help="OpenPGP key ring with the key for .sig and .asc, the first of it (MATCHBOX_KEY_RING_PATH; passphrase in "
        "MATCHBOX_PASSPHRASE)",
    )
    parser.add_argument(
        "--sync", action="store_true", help="sync the image sources at the start and at their intervals"
    )
    add_rpc_arguments(parser, environment, "")
    add_log_level(parser, environment)
    parser.set_defaults(run=_serve)


def _serve(options: argparse.Namespace) -> None:
    from matchboxctl.serve.backends import Directories
    from matchboxctl.serve.command import ServeSettings, serve
    from matchboxctl.serve.key_ring import unlocked_key
    from matchboxctl.store.mode import StoreSettings, store_settings

    level = parse_log_level(options)
    source: Directories | StoreSettings | None = store_settings(os.environ, options.data_path)
    if source is None:
        data_path = Path(options.data_path or DATA_PATH)
        source = Directories(data_path, _assets_path(options.assets_path) or data_path / "assets")
    elif options.assets_path:
        raise UsageError(
            "--assets-path (MATCHBOX_ASSETS_PATH) cannot be combined with MATCHBOX_TABLE and MATCHBOX_BUCKET, whose "
            "assets are in the bucket: unset one of them"
        )
    # As with matchbox, the passphrase is read from the environment only.
    passphrase = os.environ.get("MATCHBOX_PASSPHRASE", "")
    key = unlocked_key(options.key_ring_path, passphrase) if options.key_ring_path else None
    serve(ServeSettings(options.address, level, source, rpc_settings(options), options.sync, key))


def _assets_path(given: str | None) -> Path | None:
    """The given directory of assets, which must exist. Raises UsageError."""
    if not given:
        return None
    # isdir is false, where is_dir raises, for a directory that may not be searched.
    if not os.path.isdir(given):  # noqa: PTH112
        raise UsageError(f"--assets-path (MATCHBOX_ASSETS_PATH) {given!r} is not a directory")
    return Path(given)
