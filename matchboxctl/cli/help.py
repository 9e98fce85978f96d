"""`matchboxctl help`: the help of a command."""

from collections.abc import Sequence

import click

from matchboxctl.cli.commands import Command


@click.command("help", cls=Command, examples=["matchboxctl help serve", "matchboxctl help group create"])
@click.argument("path", metavar="[COMMAND]...", nargs=-1)
def help_(path: Sequence[str]) -> None:
    """Show the help of a command."""
    context = click.get_current_context().find_root()
    for name in path:
        group = context.command
        if not isinstance(group, click.Group):
            raise click.UsageError(f"{context.command_path} has no command {name!r}", context)
        _, command, _ = group.resolve_command(context, [name])
        if command is None:
            raise click.NoSuchCommand(name, ctx=context)
        context = click.Context(command, context, name)
    click.echo(context.get_help())
