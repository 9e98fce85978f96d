"""The command that prints what a shell needs to complete arguments: its arguments, and what it calls."""

import argparse
import sys

_EXAMPLES = """\
  bash   eval "$(matchboxctl completion bash)"                in ~/.bashrc
  zsh    eval "$(matchboxctl completion zsh)"                 in ~/.zshrc, after compinit
  fish   matchboxctl completion fish | source                 in ~/.config/fish/config.fish
"""


def add_completion_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `completion`."""
    made = commands.add_parser(
        "completion",
        help="print what a shell needs to complete arguments",
        description="Print what a shell needs to complete commands, flags, files, and ids of groups and profiles.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("shell", choices=("bash", "zsh", "fish"), help="the shell")
    made.set_defaults(run=_completion)


def _completion(options: argparse.Namespace) -> None:
    from matchboxctl.completion.complete import script

    sys.stdout.write(script(options.shell))
