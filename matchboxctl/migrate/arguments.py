"""`matchboxctl migrate`."""

from pathlib import Path

import click

from matchboxctl.cli.commands import Command
from matchboxctl.cli.errors import UsageError
from matchboxctl.cli.options import is_given, option, output_option, stack_flag


@click.command(
    cls=Command,
    epilog="Exit codes: 0 nothing differs, 1 something was not copied, differs, or (without --compare) has faults, 2 "
    "wrong usage, 130 interrupted.",
    examples=[
        "matchboxctl migrate /var/lib/matchbox --compare http://matchbox:8080",
        "matchboxctl migrate matchbox:8081 --certs certs --into /srv/matchbox",
        "matchboxctl migrate /var/lib/matchbox --stack matchbox",
    ],
)
@click.argument("source", metavar="FROM")
@option("--into", metavar="DIR", type=Path, help="data directory to copy into")
@option(
    "--compare",
    metavar="URL",
    default="",
    show_default="none, only the copy is checked",
    help="the running matchbox whose responses are compared with those of the copy",
)
@option(
    "--certs",
    metavar="DIR",
    type=Path,
    default="/etc/matchbox",
    help="gRPC: the directory with ca.crt, client.crt and client.key",
)
@click.option("--dry-run", is_flag=True, help="print what would be copied, and compare the responses of FROM")
@click.option("--store", is_flag=True, help="copy into MATCHBOX_TABLE and MATCHBOX_BUCKET, or MATCHBOX_STACK")
@stack_flag
@output_option()
def migrate(
    source: str, into: Path | None, stack: str, compare: str, certs: Path, output: str, *, dry_run: bool, store: bool
) -> None:
    """Copy what a matchbox serves, and compare its responses with those of the copy, for a machine of each group.

    FROM is matchbox's data directory, or HOST:PORT of its gRPC API, which lists groups and profiles; the templates that
    they name are read as well. The report names what will differ, and why. Nothing is removed, only differences are
    written; after an interruption, run the command again. Without --into, --stack and --store, nothing is copied.
    """
    from matchboxctl.migrate.command import MigrateOptions, migrate
    from matchboxctl.store.mode import StoreSettings, chosen_store

    target: Path | StoreSettings | None = into
    # The environment of a shell alone must not turn a look into a copy.
    if store or is_given("stack"):
        if into:
            raise UsageError("--into, and --stack or --store, name where to copy: use one of them")
        target = chosen_store("", stack)
        if isinstance(target, Path):
            raise UsageError("--store copies into table and bucket: set MATCHBOX_TABLE and MATCHBOX_BUCKET")
    migrate(source, target, MigrateOptions(certs, compare, output, dry_run))
