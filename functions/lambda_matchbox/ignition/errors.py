"""The error of Ignition configs."""


class IgnitionError(Exception):
    """An invalid config: where and why. The message quotes no value but the config's version."""
