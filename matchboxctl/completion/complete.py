"""Completion in a shell: commands and flags by argparse's tables, files, and ids of resources.

The shell runs the command with _ARGCOMPLETE set whenever the key is pressed.
"""

import argparse
import threading
from collections.abc import Iterable

import argcomplete
from argcomplete.completers import BaseCompleter, DirectoriesCompleter, FilesCompleter
from argcomplete.shell_integration import shellcode

from matchboxctl.cli.errors import UsageError

_TIMEOUT = 5.0


def script(shell: str) -> str:
    """The code that sets up completion in `bash`, `zsh` or `fish`."""
    code: str = shellcode(["matchboxctl"], use_defaults=False, shell=shell)
    return code


def complete(parser: argparse.ArgumentParser) -> None:
    """Answer the shell that asks for completions, and end the process."""
    argcomplete.autocomplete(parser, default_completer=_Values(), always_complete_options=False)


class _Values(BaseCompleter):
    """The possible values of an argument, by its metavar."""

    def __call__(
        self, *, prefix: str, action: argparse.Action, parsed_args: argparse.Namespace, **_: object
    ) -> Iterable[str]:
        """Those with this prefix."""
        if action.metavar == "FILE":
            return FilesCompleter()(prefix)
        if action.metavar == "DIR":
            return DirectoriesCompleter()(prefix)
        resource = getattr(parsed_args, "resource", None)
        if resource is None or action.metavar not in ("ID", "NAME"):
            return []
        given = getattr(parsed_args, "ids", None) or []
        names = _names(resource, parsed_args.data_path)
        return [name for name in names if name.startswith(prefix) and name not in given]


def _names(resource: str, data_path: str) -> list[str]:
    """The ids or names of a resource; none if they cannot be read in time."""
    found: list[str] = []

    def read() -> None:
        from lambda_matchbox.errors import MatchboxError
        from matchboxctl.resources.command import target_of

        try:
            target = target_of(resource, data_path)
            names = target.documents.names(target.resource.kind)
        except (MatchboxError, ModuleNotFoundError, OSError, UsageError):
            return
        # Others would need escapes that shells do not share.
        found.extend(name for name in names if name.isprintable())

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    reader.join(_TIMEOUT)
    return sorted(found) if not reader.is_alive() else []
