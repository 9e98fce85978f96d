"""Arguments of `matchboxctl init` and `matchboxctl fsck`."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from matchboxctl.cli.arguments import STORE_MODE, Commands, add_command
from matchboxctl.cli.errors import UsageError

if TYPE_CHECKING:
    from matchboxctl.store.mode import StoreSettings


def add_store_commands(commands: Commands) -> None:
    """Add `init` and `fsck`."""
    more = " if they do not exist, and let long responses expire. A stack creates its own."
    init = add_command(commands, "init", "create table and bucket", more, epilog=STORE_MODE)
    init.set_defaults(run=_init)
    more = ", while machines boot and others write. Exits with 1 if damage remains."
    fsck = add_command(commands, "fsck", "check table and bucket", more, epilog=STORE_MODE)
    fsck.add_argument("--repair", action="store_true", help="repair what can be repaired, and remove garbage")
    fsck.set_defaults(run=_fsck)


def required_store(options: argparse.Namespace) -> "StoreSettings":
    """The settings of store mode, for a command that has no other. Raises UsageError."""
    from matchboxctl.store.mode import chosen_store

    found = chosen_store(os.environ.get("MATCHBOX_DATA_PATH", ""))
    if isinstance(found, Path):
        raise UsageError(f"{options.command} works on table and bucket: set MATCHBOX_TABLE and MATCHBOX_BUCKET")
    return found


def _init(options: argparse.Namespace) -> None:
    from matchboxctl.store.init import init

    init(required_store(options))


def _fsck(options: argparse.Namespace) -> None:
    from matchboxctl.store.fsck import fsck

    fsck(required_store(options), repair=options.repair)
