"""What a shell completes: commands and flags by argparse's own tables, files, and what a place holds.

The shell starts the command with _ARGCOMPLETE set for each press of the key.
"""

import argparse
import threading
from collections.abc import Iterable

import argcomplete
from argcomplete.completers import BaseCompleter, DirectoriesCompleter, FilesCompleter
from argcomplete.shell_integration import shellcode

from matchboxctl.cli.errors import UsageError

_LONGEST = 5.0
"""Seconds for which a key is waited for that was pressed in vain."""


def script(shell: str) -> str:
    """What the shell is to run at its start: `bash`, `zsh` or `fish`."""
    made: str = shellcode(["matchboxctl"], use_defaults=False, shell=shell)
    return made


def complete(parser: argparse.ArgumentParser) -> None:
    """Tell the shell that asks what can stand there, and end the process."""
    argcomplete.autocomplete(parser, default_completer=_Values(), always_complete_options=False)


class _Values(BaseCompleter):
    """What an argument can be, told by the name that its help gives it; nothing where nobody knows."""

    def __call__(
        self, *, prefix: str, action: argparse.Action, parsed_args: argparse.Namespace, **_: object
    ) -> Iterable[str]:
        """Those that begin so."""
        if action.metavar == "FILE":
            return FilesCompleter()(prefix)
        if action.metavar == "DIR":
            return DirectoriesCompleter()(prefix)
        resource = getattr(parsed_args, "resource", None)
        if resource is None or action.metavar not in ("ID", "NAME"):
            return []
        given = getattr(parsed_args, "ids", None) or []
        return [
            name for name in _names(resource, parsed_args.data_path) if name.startswith(prefix) and name not in given
        ]


def _names(resource: str, data_path: str | None) -> list[str]:
    """The ids or names of the resource; none where the place does not answer in time."""
    found: list[str] = []

    def ask() -> None:
        from lambda_matchbox.errors import MatchboxError
        from matchboxctl.resources.command import target_of

        try:
            target = target_of(resource, data_path)
            names = target.documents.names(target.resource.kind)
        except (MatchboxError, ModuleNotFoundError, OSError, UsageError):
            return
        # What a shell would have to be told in escapes is typed by hand.
        found.extend(name for name in names if name.isprintable())

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(_LONGEST)
    return sorted(found) if not asking.is_alive() else []
