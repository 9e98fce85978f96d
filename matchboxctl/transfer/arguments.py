"""Arguments of `matchboxctl import` and `matchboxctl export`."""

import argparse
from pathlib import Path

from matchboxctl.cli.arguments import STORE_MODE, Commands, add_command
from matchboxctl.store.arguments import required_store


def add_transfer_commands(commands: Commands) -> None:
    """Add `import` and `export`."""
    for name, what, target, run in (
        ("import", "copy a matchbox data directory into table and bucket", "the table and the bucket", _import),
        ("export", "copy table and bucket into a matchbox data directory", "the directory", _export),
    ):
        more = (
            ": groups, profiles, templates, image sources and assets. Only differences are written; after an "
            "interruption, run the command again."
        )
        parser = add_command(commands, name, what, more, epilog=STORE_MODE)
        parser.add_argument("directory", metavar="DIR", type=Path, help="matchbox's data directory")
        parser.add_argument("--prune", action="store_true", help=f"remove from {target} what the other side lacks")
        parser.add_argument("--dry-run", action="store_true", help="print the changes without making them")
        parser.set_defaults(run=run)


def _import(options: argparse.Namespace) -> None:
    from matchboxctl.transfer.importing import import_directory

    import_directory(required_store(options), options.directory, prune=options.prune, dry_run=options.dry_run)


def _export(options: argparse.Namespace) -> None:
    from matchboxctl.transfer.exporting import export_directory

    export_directory(required_store(options), options.directory, prune=options.prune, dry_run=options.dry_run)
