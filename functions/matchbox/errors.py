"""The root of the errors that matchbox's domain raises."""


class MatchboxError(Exception):
    """What cannot be answered, and why, in one line."""
