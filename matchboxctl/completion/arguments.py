"""`matchboxctl completion`."""

import click

from matchboxctl.cli.commands import Command
from matchboxctl.cli.options import Choice


@click.command(
    cls=Command,
    examples=[
        'bash, in ~/.bashrc: eval "$(matchboxctl completion bash)"',
        'zsh, in ~/.zshrc after compinit: eval "$(matchboxctl completion zsh)"',
        "fish, in ~/.config/fish/config.fish: matchboxctl completion fish | source",
    ],
)
@click.argument("shell", type=Choice(("bash", "zsh", "fish")))
def completion(shell: str) -> None:
    """Print the completion script of a shell.

    It completes commands, flags, files, and ids of groups, profiles, templates and image sources.
    """
    from matchboxctl.completion.shells import script

    click.echo(script(click.get_current_context().find_root().command, shell), nl=False)
