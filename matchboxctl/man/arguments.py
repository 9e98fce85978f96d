"""`matchboxctl man`."""

import os
import shlex
from pathlib import Path

import click

from matchboxctl.cli.commands import Group
from matchboxctl.cli.options import share_option


@click.group(cls=Group, examples=["matchboxctl man install", "matchboxctl man page | man -l -"])
def man() -> None:
    """Install the manual page of all commands, or print it."""


def _page() -> str:
    from matchboxctl.man.page import page

    return page(click.get_current_context().find_root().command)


@man.command("page")
def print_page() -> None:
    """Print the page, for `man -l -`."""
    click.echo(_page(), nl=False)


@man.command
@share_option()
def install(share: Path) -> None:
    """Install the page where `man matchboxctl` looks for it."""
    from matchboxctl.cli.output import print_text
    from matchboxctl.cli.shared_files import OF_ALL_USERS, install

    install({_path(share): _page()})
    if share not in OF_ALL_USERS and not _is_searched(share):
        directory = shlex.quote(str((share / "man").absolute()))
        print_text(f'man needs in the shell\'s profile: export MANPATH="$MANPATH":{directory}\n')


@man.command
@share_option()
def uninstall(share: Path) -> None:
    """Remove what `matchboxctl man install` has installed."""
    from matchboxctl.cli.shared_files import uninstall

    uninstall([_path(share)])


def _path(share: Path) -> Path:
    return share / "man" / "man1" / "matchboxctl.1"


def _is_searched(share: Path) -> bool:
    """Whether man looks there: beside the directories of PATH, and in MANPATH."""
    beside = [Path(directory).parent / "share" for directory in os.environ.get("PATH", "").split(":")]
    return share in beside or str(share / "man") in os.environ.get("MANPATH", "").split(":")
