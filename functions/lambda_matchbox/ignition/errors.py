"""The error of everything behind /ignition that is not the template itself."""


class IgnitionError(Exception):
    """A config cannot be served: where it is wrong, and why. No value of it is shown but its version."""
