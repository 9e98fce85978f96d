"""`matchboxctl migrate`."""

from pathlib import Path

import click

from matchboxctl.cli.commands import Command
from matchboxctl.cli.errors import UsageError
from matchboxctl.cli.options import STORE_MODE, is_given, option, output_option, stack_flag


@click.command(
    cls=Command,
    epilog="Exit codes: 0 nothing differs, 1 something was not copied, differs, or (without --compare) has faults, 2 "
    f"wrong usage, 130 interrupted. {STORE_MODE}",
    examples=[
        "matchboxctl migrate /var/lib/matchbox --compare http://matchbox:8080",
        "matchboxctl migrate matchbox:8081 --certs certs --into /srv/matchbox",
    ],
)
@click.argument("source", metavar="FROM")
@option("--into", metavar="DIR", type=Path, help="data directory to copy into; --stack copies into table and bucket")
@option(
    "--compare",
    metavar="URL",
    default="",
    show_default="only what is copied is looked at",
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
@stack_flag
@output_option()
def migrate(
    source: str, into: Path | None, stack: str, compare: str, certs: Path, output: str, *, dry_run: bool
) -> None:
    """Copy what a matchbox serves, and compare its responses with those of the copy, for a machine of each group.

    FROM is matchbox's data directory, or HOST:PORT of its gRPC API, which lists groups and profiles; the templates that
    they name are read as well. The report names what will differ, and why. Nothing is removed, only differences are
    written; after an interruption, run the command again. Without --into and --stack, nothing is copied.
    """
    from matchboxctl.migrate.command import MigrateOptions, migrate
    from matchboxctl.store.mode import chosen_store

    if into and is_given("stack"):
        raise UsageError("--into and --stack both name where to copy: use one of them")
    # A directory that is named is written without AWS, whatever the environment selects.
    target = into or chosen_store("", stack)
    copied = into or not isinstance(target, Path)
    migrate(source, target if copied else None, MigrateOptions(certs, compare, output, dry_run))
