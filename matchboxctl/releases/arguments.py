"""The arguments of the commands on image sources."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from matchboxctl.cli.arguments import MODES, Commands, add_command, add_data_path
from matchboxctl.store.advice import advising

if TYPE_CHECKING:
    from lambda_matchbox.image_sync.sources import SourceStores

_OUTPUTS = ("text", "json", "env")

Run = Callable[["SourceStores", argparse.Namespace], None]


def add_source_commands(commands: Commands) -> None:
    """Add the commands."""

    def command(name: str, run: Run, what: str, more: str = ".") -> argparse.ArgumentParser:
        parser = add_command(commands, name, what, more, epilog=MODES)
        add_data_path(parser, "directory with sources/ and releases/")
        parser.set_defaults(run=lambda options: _run(run, options))
        return parser

    sync = command(
        "sync",
        _sync,
        "publish the newest images of image sources",
        ". Boot images are pulled from a container registry, verified, and published as a release; a source with "
        "`verify` takes only images that its key or identity has signed. Logins of private registries are in docker's "
        "config.json (in DOCKER_CONFIG, else ~/.docker). Exits with 0 only if every source is up to date.",
    )
    sync.add_argument("ids", metavar="ID", nargs="*", help="an image source (default: all)")
    releases = command("releases", _releases, "show the releases of an image source, the newest first")
    releases.add_argument("id", metavar="ID", help="the image source")
    releases.add_argument(
        "--output",
        choices=_OUTPUTS,
        default="text",
        help="env prints TALOS_VERSION, KERNEL_DIGEST and INITRAMFS_DIGEST of the current release",
    )
    rollback = command(
        "rollback",
        _rollback,
        "serve an older release of an image source, and hold it",
        ". Syncs do not update the source until `matchboxctl follow ID`.",
    )
    rollback.add_argument("id", metavar="ID", help="the image source")
    rollback.add_argument("digest", metavar="DIGEST", nargs="?", help="the release (default: the previous one)")
    follow = command("follow", _follow, "let syncs update an image source again after a rollback")
    follow.add_argument("id", metavar="ID", help="the image source")
    withdraw = command("withdraw", _withdraw, "stop serving the releases of a removed image source")
    withdraw.add_argument("id", metavar="ID", help="the id of the removed image source")


def _run(run: Run, options: argparse.Namespace) -> None:
    from matchboxctl.releases.source_stores import stores_in_directory, stores_in_table
    from matchboxctl.store.mode import chosen_store

    with advising():
        store = chosen_store(options.data_path)
        run(stores_in_directory(store) if isinstance(store, Path) else stores_in_table(store), options)


def _sync(stores: "SourceStores", options: argparse.Namespace) -> None:
    from matchboxctl.releases.sync import sync

    sync(stores, options.ids, os.environ)


def _releases(stores: "SourceStores", options: argparse.Namespace) -> None:
    from matchboxctl.releases.commands import releases

    releases(stores, options.id, options.output)


def _rollback(stores: "SourceStores", options: argparse.Namespace) -> None:
    from matchboxctl.releases.commands import rollback

    rollback(stores, options.id, options.digest)


def _follow(stores: "SourceStores", options: argparse.Namespace) -> None:
    from matchboxctl.releases.commands import follow

    follow(stores, options.id)


def _withdraw(stores: "SourceStores", options: argparse.Namespace) -> None:
    from matchboxctl.releases.commands import withdraw_removed

    withdraw_removed(stores, options.id)
