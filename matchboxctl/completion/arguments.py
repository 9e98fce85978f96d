"""`matchboxctl completion`."""

from pathlib import Path

import click

from matchboxctl.cli.commands import Command, Group
from matchboxctl.cli.options import share_option


@click.group(
    cls=Group,
    examples=[
        "matchboxctl completion install",
        'in ~/.bashrc: eval "$(matchboxctl completion bash)"',
        'in ~/.zshrc, after compinit: eval "$(matchboxctl completion zsh)"',
        "in ~/.config/fish/config.fish: matchboxctl completion fish | source",
    ],
)
def completion() -> None:
    """Set up completion in a shell, or print its script.

    It completes commands, flags, files, and ids of groups, profiles, templates and image sources.
    """


def _printing(shell: str) -> Command:
    def run() -> None:
        from matchboxctl.completion.shells import script

        click.echo(script(click.get_current_context().find_root().command, shell), nl=False)

    return Command(shell, callback=run, help=f"Print the script of {shell}.")


for _shell in ("bash", "zsh", "fish"):
    completion.add_command(_printing(_shell))


@completion.command
@share_option()
def install(share: Path) -> None:
    """Install the scripts of bash, zsh and fish where these look for them.

    bash needs the package bash-completion. A file that is not from matchboxctl is not replaced.
    """
    from matchboxctl.completion.installation import install

    install(click.get_current_context().find_root().command, share)


@completion.command
@share_option()
def uninstall(share: Path) -> None:
    """Remove what `matchboxctl completion install` has installed."""
    from matchboxctl.cli.shared_files import uninstall
    from matchboxctl.completion.installation import paths

    uninstall(paths(share).values())
