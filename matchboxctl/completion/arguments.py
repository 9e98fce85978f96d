"""Arguments of `matchboxctl completion`."""

import argparse
import sys

from matchboxctl.cli.arguments import Commands, add_command

_EXAMPLES = """\
bash: write into ~/.bashrc
  eval "$(matchboxctl completion bash)"
zsh: write into ~/.zshrc, after compinit
  eval "$(matchboxctl completion zsh)"
fish: write into ~/.config/fish/config.fish
  matchboxctl completion fish | source
"""


def add_completion_command(commands: Commands) -> None:
    """Add `completion`."""
    more = ",\nfor commands, flags, files, and ids of groups and profiles."
    parser = add_command(commands, "completion", "print the completion script of a shell", more, epilog=_EXAMPLES)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), help="the shell")
    parser.set_defaults(run=_completion)


def _completion(options: argparse.Namespace) -> None:
    from matchboxctl.completion.complete import script

    sys.stdout.write(script(options.shell))
