"""How a command ends that cannot do what it was asked for: one line on standard error, and an exit code."""

from typing import ClassVar


class CommandError(Exception):
    """The message is that line."""

    code: ClassVar[int]


class UsageError(CommandError):
    """What was asked for cannot be done as asked: the line says what to mend."""

    code = 2


class MissingError(CommandError):
    """What was asked for by its id or name is not there."""

    code = 4


class FailedError(CommandError):
    """What was asked for could not be done, or not all of it: the line says why."""

    code = 1
