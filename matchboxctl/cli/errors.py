"""Errors that end a command with one line on standard error and an exit code."""

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
