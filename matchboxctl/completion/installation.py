"""The scripts of all shells, where the shells look for them."""

import shlex
from collections.abc import Mapping
from pathlib import Path

import click

from matchboxctl.cli import shared_files
from matchboxctl.cli.output import print_text
from matchboxctl.completion.shells import PROGRAM, script

_PATHS = {
    "bash": f"bash-completion/completions/{PROGRAM}",
    "zsh": f"zsh/site-functions/_{PROGRAM}",
    "fish": f"fish/vendor_completions.d/{PROGRAM}.fish",
}


def paths(share: Path) -> Mapping[str, Path]:
    """The file of each shell."""
    return {shell: share / path for shell, path in _PATHS.items()}


def install(command: click.Command, share: Path) -> None:
    """Write all of them. Raises UsageError and FailedError."""
    files = paths(share)
    # The last line: zsh reads the first.
    texts = {path: f"{script(command, shell).rstrip()}\n# {shared_files.MADE}\n" for shell, path in files.items()}
    shared_files.install(texts)
    if share not in shared_files.OF_ALL_USERS:
        directory = shlex.quote(str(files["zsh"].parent.absolute()))
        print_text(f"zsh needs in ~/.zshrc, before compinit: fpath=({directory} $fpath)\n")
