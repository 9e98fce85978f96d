"""How a command ends that cannot do what it was asked for."""


class UsageError(Exception):
    """What was asked for cannot be done as asked: one line that says what to mend; the command ends with 2."""


class MissingError(Exception):
    """What was asked for by its id or name is not there: one line that says so; the command ends with 4."""


class FailedError(Exception):
    """What was asked for could not be done, or not all of it: one line that says why; the command ends with 1."""
