"""The commands on image sources: their arguments, and what they call."""

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from matchboxctl.cli.arguments import DATA_PATH, add_data_path
from matchboxctl.store.advice import advising

if TYPE_CHECKING:
    from matchboxctl.releases.places import SourcePlace

_OUTPUTS = ("text", "json", "env")


def add_source_commands(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    environment: Mapping[str, str],
    *,
    epilog: str,
) -> None:
    """Add the commands."""

    def command(name: str, what: str, more: str = "") -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = commands.add_parser(
            name,
            help=what,
            description=f"{what[0].upper()}{what[1:]}. {more}".rstrip(),
            epilog=epilog,
            allow_abbrev=False,
        )
        add_data_path(made, environment, "directory with sources/ and releases/")
        return made

    sync = command(
        "sync",
        "publish the newest images of image sources",
        "Boot images are pulled out of a container registry, verified, and served whole from then on. A docker "
        "config.json (DOCKER_CONFIG; else ~/.docker) has the logins of private registries. Ends with 0 only if every "
        "source is up to date.",
    )
    sync.add_argument("ids", metavar="ID", nargs="*", help="an image source; all of them unless named")
    sync.set_defaults(run=_sync)
    releases = command("releases", "show the releases of an image source, the newest first")
    releases.add_argument("id", metavar="ID", help="the image source")
    releases.add_argument(
        "--output",
        choices=_OUTPUTS,
        default="text",
        help="env prints TALOS_VERSION, KERNEL_DIGEST and INITRAMFS_DIGEST of the release that is served",
    )
    releases.set_defaults(run=_releases)
    rollback = command(
        "rollback",
        "serve an older release of an image source, and hold it",
        "No sync moves the source until `matchboxctl follow ID`.",
    )
    rollback.add_argument("id", metavar="ID", help="the image source")
    rollback.add_argument("digest", metavar="DIGEST", nargs="?", help="of a release; else the one before the current")
    rollback.set_defaults(run=_rollback)
    follow = command("follow", "let syncs move an image source again that a rollback holds")
    follow.add_argument("id", metavar="ID", help="the image source")
    follow.set_defaults(run=_follow)
    withdraw = command("withdraw", "serve nothing any more of an image source that was removed")
    withdraw.add_argument("id", metavar="ID", help="the id that the image source had")
    withdraw.set_defaults(run=_withdraw)


def place_of(options: argparse.Namespace) -> "SourcePlace":
    """Where the sources are that the options and the environment mean. Raises UsageError."""
    from matchboxctl.releases.places import in_directory, in_stores
    from matchboxctl.store.mode import store_settings

    store = store_settings(os.environ, options.data_path)
    if store is None:
        return in_directory(Path(options.data_path or DATA_PATH))
    return in_stores(store)


def _sync(options: argparse.Namespace) -> None:
    from matchboxctl.releases.sync import sync

    with advising():
        sync(place_of(options), options.ids, os.environ)


def _releases(options: argparse.Namespace) -> None:
    from matchboxctl.releases.releases import releases

    with advising():
        releases(place_of(options), options.id, options.output)


def _rollback(options: argparse.Namespace) -> None:
    from matchboxctl.releases.releases import rollback

    with advising():
        rollback(place_of(options), options.id, options.digest)


def _follow(options: argparse.Namespace) -> None:
    from matchboxctl.releases.releases import follow

    with advising():
        follow(place_of(options), options.id)


def _withdraw(options: argparse.Namespace) -> None:
    from matchboxctl.releases.releases import take_out

    with advising():
        take_out(place_of(options), options.id)
