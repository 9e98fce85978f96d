"""Errors that end a command with one line on standard error and an exit code."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ClassVar


class CommandError(Exception):
    """The message is that line."""

    code: ClassVar[int]


class FailedError(CommandError):
    """The command failed, at least in part; the line says why."""

    code = 1


class UsageError(CommandError):
    """The command cannot be run as given; the line says what to change."""

    code = 2


class MissingError(CommandError):
    """Nothing has the given id or name."""

    code = 4


class InterruptedCommandError(CommandError):
    """The operator has interrupted the command; the line says what is kept and what starts anew."""

    code = 128 + signal.SIGINT


@contextmanager
def on_interrupt(left: str | Callable[[], str]) -> Iterator[None]:
    """Raise InterruptedCommandError if the body is interrupted; `left` says what is kept and what starts anew."""
    try:
        yield
    except KeyboardInterrupt as error:
        raise InterruptedCommandError(f"interrupted: {left if isinstance(left, str) else left()}") from error
