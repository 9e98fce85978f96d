"""`matchboxctl fetch`."""

import os
from pathlib import Path

import click

from matchboxctl.cli.arguments import DATA_PATH
from matchboxctl.cli.commands import Command
from matchboxctl.cli.errors import UsageError
from matchboxctl.cli.options import Choice, argument, option

_PROJECTS = ("flatcar", "fedora-coreos")
_EPILOG = (
    "Works on a data directory in both modes; in store mode, `matchboxctl import DIR` copies it to table and bucket. "
    "An interrupted download goes on where it ended."
)


@click.command(
    cls=Command,
    epilog=_EPILOG,
    examples=[
        "matchboxctl fetch fedora-coreos --into my-coreos",
        "matchboxctl fetch flatcar --key KEYS.asc --into my-flatcar",
    ],
)
@argument("project", metavar="PROJECT", type=Choice(_PROJECTS))
@option("--channel", metavar="NAME", default="stable", help="the release channel")
@option("--version", metavar="VERSION", default="", show_default="the channel's newest", help="the release")
@click.option("--arch", type=Choice(("x86_64", "aarch64")), default="x86_64", help="the processor")
@option(
    "--into",
    metavar="DIR",
    show_default=f"--data-path (MATCHBOX_DATA_PATH), else {DATA_PATH}",
    help="matchbox's data directory",
)
@option(
    "--key",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="the OpenPGP keys whose signatures are good, required for Flatcar; without it, files of Fedora CoreOS need "
    "the SHA-256 that its server tells by https",
)
@option("--server", metavar="URL", default="", show_default="the project's own", help="a mirror of the server")
def fetch(project: str, channel: str, version: str, arch: str, into: str | None, key: Path | None, server: str) -> None:
    """Fetch kernel, initramfs and rootfs of Flatcar or Fedora CoreOS.

    They are verified, and placed where the examples flatcar and fedora-coreos expect them:
    DIR/assets/PROJECT/ARCH/. Files that are there and good are not fetched again. PROJECT is flatcar or fedora-coreos.
    """
    from matchboxctl.fetch.command import Wanted, fetch

    before = click.get_current_context().find_root().params
    chosen = into or before.get("data_path")
    if not chosen and (os.environ.get("MATCHBOX_TABLE") or before.get("stack")):
        raise UsageError("fetch writes to a directory: give --into DIR, and copy it with `matchboxctl import DIR`")
    fetch(Wanted(project, channel, version, arch, server), Path(chosen or DATA_PATH), key)
