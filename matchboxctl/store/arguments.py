"""`matchboxctl init` and `matchboxctl fsck`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from matchboxctl.cli.commands import Command
from matchboxctl.cli.errors import UsageError
from matchboxctl.cli.options import STORE_MODE, output_option, stack_flag

if TYPE_CHECKING:
    from matchboxctl.store.mode import StoreSettings


def required_store(stack: str) -> "StoreSettings":
    """The settings of store mode, for a command that has no other. Raises UsageError."""
    from matchboxctl.store.mode import chosen_store

    found = chosen_store(os.environ.get("MATCHBOX_DATA_PATH", ""), stack)
    if isinstance(found, Path):
        command = click.get_current_context().info_name
        raise UsageError(f"{command} works on table and bucket: set MATCHBOX_TABLE and MATCHBOX_BUCKET, or --stack")
    return found


@click.command(cls=Command, epilog=STORE_MODE)
@stack_flag
def init(stack: str) -> None:
    """Create table and bucket if they do not exist, and let long responses expire. A stack creates its own."""
    from matchboxctl.store.init import init

    init(required_store(stack))


@click.command(cls=Command, epilog=STORE_MODE, examples=["matchboxctl fsck", "matchboxctl fsck --repair"])
@click.option("--repair", is_flag=True, help="repair what can be repaired, and remove garbage")
@stack_flag
@output_option()
def fsck(stack: str, output: str, *, repair: bool) -> None:
    """Check table and bucket, while machines boot and others write. Exits with 1 if damage remains."""
    from matchboxctl.store.fsck import fsck

    fsck(required_store(stack), output, repair=repair)
