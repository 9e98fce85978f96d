"""Completion in bash, zsh and fish, by Click.

The shell runs the command with _MATCHBOXCTL_COMPLETE set whenever the key is pressed.
"""

import os
import re
import shlex
from collections.abc import Mapping

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
    shell_complete,
)

PROGRAM = "matchboxctl"
VARIABLE = "_MATCHBOXCTL_COMPLETE"


@add_completion_class
class _Bash(BashComplete):
    """Completion in bash, where `:` and `=` are words of their own."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the one that is typed, and that word."""
        words = os.environ["COMP_WORDS"].split("\n")[: int(os.environ["COMP_CWORD"]) + 1]
        *before, incomplete = re.sub(r"\n([:=])\n?", r"\1", "\n".join(words)).split("\n")
        # A quote may be open yet.
        return [word for one in before[1:] for word in shlex.split(one)], incomplete

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        """The rest of each completion after the last colon, quoted."""
        found = super().get_completions(args, incomplete)
        for item in found:
            item.value = shlex.quote(item.value[incomplete.rfind(":") + 1 :])
        return found


_CLASSES: Mapping[str, type[ShellComplete]] = {"bash": _Bash, "zsh": ZshComplete, "fish": FishComplete}


def script(command: click.Command, shell: str) -> str:
    """The code that sets up completion in bash, zsh or fish."""
    return _CLASSES[shell](command, {}, PROGRAM, VARIABLE).source()


def complete(command: click.Command, instruction: str) -> int:
    """Answer the shell that asks for completions; returns the exit code."""
    return shell_complete(command, {}, PROGRAM, VARIABLE, instruction)
