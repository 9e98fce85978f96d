"""Arguments of `matchboxctl completion`."""

import argparse
import sys

_EXAMPLES = """\
  bash   eval "$(matchboxctl completion bash)"                in ~/.bashrc
  zsh    eval "$(matchboxctl completion zsh)"                 in ~/.zshrc, after compinit
  fish   matchboxctl completion fish | source                 in ~/.config/fish/config.fish
"""


def add_completion_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `completion`."""
    parser = commands.add_parser(
        "completion",
        help="print the completion script of a shell",
        description="Print a script that completes commands, flags, files, and ids of groups and profiles.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), help="the shell")
    parser.set_defaults(run=_completion)


def _completion(options: argparse.Namespace) -> None:
    from matchboxctl.completion.complete import script

    sys.stdout.write(script(options.shell))
