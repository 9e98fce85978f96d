"""`matchboxctl examples`."""

from pathlib import Path

import click

from matchboxctl.cli.commands import Command
from matchboxctl.cli.errors import UsageError
from matchboxctl.cli.options import Choice, argument, option, output_option
from matchboxctl.examples.copies import names


@click.command(
    cls=Command,
    examples=["matchboxctl examples", "matchboxctl examples talos --into my-talos"],
)
@argument("name", metavar="[NAME]", type=Choice(names()), required=False)
@option("--into", metavar="DIR", type=click.Path(path_type=Path), help="the directory to make, absent or empty")
@output_option()
def examples(name: str | None, into: Path | None, output: str) -> None:
    """List the examples, or write one into a new directory.

    Its README.md says how to go on. A directory that is new is there completely or not at all.
    """
    from matchboxctl.examples import copies

    if name is None:
        if into is not None:
            raise UsageError(f"--into is for one example: matchboxctl examples NAME --into {into}")
        copies.show(output)
    elif into is None:
        raise UsageError(f"say where to: matchboxctl examples {name} --into DIR")
    else:
        copies.write(name, into)
