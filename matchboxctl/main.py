"""`matchboxctl`: the parser of its commands. Flags are matchbox's: one dash or two, and before the environment."""

import argparse
import os
import re
import signal
import sys
from collections.abc import Sequence
from itertools import takewhile

from lambda_matchbox.errors import MatchboxError
from matchboxctl.certs.arguments import add_certs_command
from matchboxctl.check.arguments import add_check_command
from matchboxctl.cli.arguments import MODES
from matchboxctl.cli.errors import CommandError, FailedError, UsageError
from matchboxctl.cli.extras import missing_extra
from matchboxctl.cli.standard_output import OutputError, discard_output, flush_output, open_output
from matchboxctl.completion.arguments import add_completion_command
from matchboxctl.releases.arguments import add_source_commands
from matchboxctl.render.arguments import add_render_command
from matchboxctl.resources.arguments import add_resource_commands
from matchboxctl.rpc.arguments import add_rpc_command
from matchboxctl.serve.arguments import add_serve_command
from matchboxctl.store.arguments import add_store_commands
from matchboxctl.transfer.arguments import add_transfer_commands
from matchboxctl.validate.arguments import add_validate_command

_ONE_DASH = re.compile(r"-[^\W\d_].")
_ONE_LETTER = re.compile(r"-[a-z]=.*|-o(?:json|yaml)", re.DOTALL)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    open_output()
    try:
        try:
            return _run(sys.argv[1:] if arguments is None else arguments)
        finally:
            flush_output()
    except OutputError as error:
        discard_output()
        return 128 + signal.SIGPIPE if error.is_closed else _failed(error, FailedError.code)


def _run(arguments: Sequence[str]) -> int:
    given = _with_two_dashes(arguments)
    parser = _parser()
    if "_ARGCOMPLETE" in os.environ:
        from matchboxctl.completion.complete import complete

        complete(parser)
    options = parser.parse_args(given)
    try:
        options.run(options)
    except CommandError as error:
        return _failed(error, error.code)
    except MatchboxError as error:
        return _failed(error, FailedError.code)
    except ModuleNotFoundError as error:
        message = missing_extra(error)
        if message is None:
            raise
        return _failed(message, UsageError.code)
    except KeyboardInterrupt:
        return _failed("interrupted", 128 + signal.SIGINT)
    return 0


def _failed(message: object, code: int) -> int:
    print(f"matchboxctl: {message}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="matchboxctl", description="Network boot as with matchbox.", epilog=MODES, allow_abbrev=False
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add_serve_command(commands)
    add_store_commands(commands)
    add_transfer_commands(commands)
    add_source_commands(commands)
    add_resource_commands(commands)
    add_render_command(commands)
    add_check_command(commands)
    add_validate_command(commands)
    add_rpc_command(commands)
    add_certs_command(commands)
    add_completion_command(commands)
    return parser


def _with_two_dashes(arguments: Sequence[str]) -> list[str]:
    """The arguments with two dashes before long flags; a flag of one letter may be followed by its value."""
    flags = list(takewhile(lambda argument: argument != "--", arguments))
    return [
        f"-{argument}" if _ONE_DASH.match(argument) and not _ONE_LETTER.fullmatch(argument) else argument
        for argument in flags
    ] + [*arguments[len(flags) :]]


if __name__ == "__main__":
    sys.exit(main())
