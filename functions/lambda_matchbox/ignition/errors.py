"""The error of everything behind /ignition that is not the template itself."""

from lambda_matchbox.errors import MatchboxError


class IgnitionError(MatchboxError):
    """A config cannot be served: where it is wrong, and why. No value of it is shown but its version."""
