"""`matchboxctl`: the command line, and the exit codes of its errors."""

import os
import signal
import sys
from collections.abc import Sequence

import click

from lambda_matchbox.errors import MatchboxError
from matchboxctl import __version__
from matchboxctl.cli.commands import CONTEXT, LazyGroup
from matchboxctl.cli.errors import CommandError, FailedError, UsageError
from matchboxctl.cli.extras import missing_extra
from matchboxctl.cli.options import MODES, store_flags
from matchboxctl.cli.standard_output import OutputError, discard_output, flush_output, open_output
from matchboxctl.cli.wrapping import wrapped
from matchboxctl.commands import SECTIONS

PROGRAM = "matchboxctl"


@click.group(
    PROGRAM,
    cls=LazyGroup,
    sections=SECTIONS,
    epilog=MODES,
    context_settings=CONTEXT,
    examples=[
        "matchboxctl examples talos --into my-talos",
        "matchboxctl serve --data-path my-talos",
        "matchboxctl help render",
    ],
)
@click.version_option(__version__, message="%(prog)s %(version)s")
@store_flags()
def command_line(data_path: str, stack: str) -> None:
    """Network boot as with matchbox."""


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
    if "_MATCHBOXCTL_COMPLETE" in os.environ:
        # Whoever interrupts it is at a prompt, where a traceback would be in the way.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        from matchboxctl.completion.shells import complete

        return complete(command_line, os.environ["_MATCHBOXCTL_COMPLETE"])
    try:
        with command_line.make_context(PROGRAM, [*arguments]) as context:
            command_line.invoke(context)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.UsageError as error:
        return _misused(error)
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


def _misused(error: click.UsageError) -> int:
    """Print the error and the usage of the command; its whole help for a group alone."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return error.exit_code
    if error.ctx is not None:
        _, *path = error.ctx.command_path.split()
        print(f"{error.ctx.get_usage()}\nSee `{' '.join([PROGRAM, 'help', *path])}`.", file=sys.stderr)
    return _failed(error.format_message(), error.exit_code)


def _failed(message: object, code: int) -> int:
    text = f"{PROGRAM}: {message}"
    # A process may be started without standard error.
    print(text if sys.stderr is None else wrapped(text, sys.stderr), file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
