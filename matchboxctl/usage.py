"""What the operator asked for cannot be done as asked."""


class UsageError(Exception):
    """One line that says what is wrong and what to do; the command ends with 2."""
