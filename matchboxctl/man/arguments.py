"""`matchboxctl man`."""

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
    from matchboxctl.cli.shared_files import install

    install({_path(share): _page()})


@man.command
@share_option()
def uninstall(share: Path) -> None:
    """Remove what `matchboxctl man install` has installed."""
    from matchboxctl.cli.shared_files import uninstall

    uninstall([_path(share)])


def _path(share: Path) -> Path:
    return share / "man" / "man1" / "matchboxctl.1"
