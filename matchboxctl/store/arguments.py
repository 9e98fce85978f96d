"""Arguments of `matchboxctl init` and `matchboxctl fsck`."""

import argparse
import os
from typing import TYPE_CHECKING

from matchboxctl.cli.arguments import STORE_MODE
from matchboxctl.cli.errors import UsageError

if TYPE_CHECKING:
    from matchboxctl.store.mode import StoreSettings


def add_store_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `init` and `fsck`."""
    init = commands.add_parser(
        "init",
        help="create table and bucket, unless a stack does",
        description="Create the DynamoDB table and the S3 bucket if they do not exist, and let long responses expire.",
        epilog=STORE_MODE,
        allow_abbrev=False,
    )
    init.set_defaults(run=_init)
    fsck = commands.add_parser(
        "fsck",
        help="check table and bucket",
        description="Check table and bucket, while machines boot and others write. Exits with 1 if damage remains.",
        epilog=STORE_MODE,
        allow_abbrev=False,
    )
    fsck.add_argument("--repair", action="store_true", help="repair what can be repaired, and remove garbage")
    fsck.set_defaults(run=_fsck)


def required_store(options: argparse.Namespace) -> "StoreSettings":
    """The settings of store mode, for a command that has no other. Raises UsageError."""
    from matchboxctl.store.mode import store_settings

    found = store_settings(os.environ, os.environ.get("MATCHBOX_DATA_PATH"))
    if found is None:
        raise UsageError(f"{options.command} works on table and bucket: set MATCHBOX_TABLE and MATCHBOX_BUCKET")
    return found


def _init(options: argparse.Namespace) -> None:
    from matchboxctl.store.init import init

    init(required_store(options))


def _fsck(options: argparse.Namespace) -> None:
    from matchboxctl.store.fsck import fsck

    fsck(required_store(options), repair=options.repair)
