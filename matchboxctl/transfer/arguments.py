"""`matchboxctl import` and `matchboxctl export`."""

from pathlib import Path

import click

from matchboxctl.cli.commands import Command
from matchboxctl.cli.options import STORE_MODE, argument, output_option, stack_flag
from matchboxctl.store.arguments import required_store

_directory = argument("directory", metavar="DIR", type=Path)
_machines = click.option("--machines", is_flag=True, help="copy the states of machines as well; the newer one stays")
_secrets = click.option("--secrets", is_flag=True, help="copy the values of secrets as well; none is ever removed")
_dry_run = click.option("--dry-run", is_flag=True, help="print the changes without making them")


@click.command("import", cls=Command, epilog=STORE_MODE, examples=["matchboxctl import --dry-run /var/lib/matchbox"])
@_directory
@click.option("--prune", is_flag=True, help="remove from the table and the bucket what the directory lacks")
@_machines
@_secrets
@_dry_run
@stack_flag
@output_option()
def import_(
    directory: Path, stack: str, output: str, *, prune: bool, machines: bool, secrets: bool, dry_run: bool
) -> None:
    """Copy a matchbox data directory into table and bucket: groups, profiles, templates, image sources and assets.

    Only differences are written; after an interruption, run the command again.
    """
    from matchboxctl.transfer.differences import Chosen
    from matchboxctl.transfer.importing import import_directory

    chosen = Chosen(prune=prune, machines=machines, secrets=secrets, dry_run=dry_run)
    import_directory(required_store(stack), directory, chosen, output)


@click.command(cls=Command, epilog=STORE_MODE, examples=["matchboxctl export --prune /srv/backup"])
@_directory
@click.option("--prune", is_flag=True, help="remove from the directory what the table and the bucket lack")
@_machines
@_secrets
@_dry_run
@stack_flag
@output_option()
def export(
    directory: Path, stack: str, output: str, *, prune: bool, machines: bool, secrets: bool, dry_run: bool
) -> None:
    """Copy table and bucket into a matchbox data directory: groups, profiles, templates, image sources and assets.

    Only differences are written; after an interruption, run the command again.
    """
    from matchboxctl.transfer.differences import Chosen
    from matchboxctl.transfer.exporting import export_directory

    chosen = Chosen(prune=prune, machines=machines, secrets=secrets, dry_run=dry_run)
    export_directory(required_store(stack), directory, chosen, output)
