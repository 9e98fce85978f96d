"""`matchboxctl validate`."""

from pathlib import Path

import click

from matchboxctl.cli.commands import Command
from matchboxctl.cli.errors import UsageError
from matchboxctl.cli.options import MODES, Choice, argument, flag, is_given, output_option, store_flags


@click.command(
    cls=Command,
    epilog=f"Exit codes: 0 no faults, perhaps notes, 1 faults, 2 wrong usage. {MODES}",
    examples=["matchboxctl validate my-talos"],
)
@argument("directory", metavar="[DIR]", required=False)
@store_flags()
@flag("--assets-path", "DIR", "directory of the files below /assets/", shown="assets/ in the data directory")
@click.option(
    "--door",
    type=Choice(("alb", "cloudfront")),
    show_default="that of --stack, else alb",
    help="the stack's parameter FrontDoor: cloudfront is on the internet, and gives configurations over https only",
)
@output_option()
def validate(
    directory: str | None, data_path: str, stack: str, assets_path: str, door: str | None, output: str
) -> None:
    """Find what would keep machines from booting.

    That is: documents that do not parse, unknown keys, absent profiles, templates and assets, templates that fail,
    addresses without a route, overlapping groups, placeholders. Nothing is written. DIR is the same as --data-path DIR,
    also in store mode.
    """
    for name, flag_name in (("data_path", "--data-path"), ("stack", "--stack")):
        if directory and is_given(name):
            raise UsageError(f"DIR and {flag_name} both name what to validate: use one of them")
    from matchboxctl.store.mode import chosen_store
    from matchboxctl.validate.command import run

    # A directory that is named is validated without AWS, whatever the environment selects.
    source = Path(directory) if directory else chosen_store(data_path, stack)
    run(source, Path(assets_path) if assets_path else None, output, door)
