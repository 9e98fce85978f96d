"""Errors of the rigs.

RigError
├── RigUnavailableError  something the rig needs is not on this machine and cannot be installed by it
└── RigFailedError       its program ended or stayed silent instead of serving
"""


class RigError(RuntimeError):
    """Any failure of a rig, as opposed to a failure of the tested code."""


class RigUnavailableError(RigError):
    """A program or package is missing; the message names what to install."""


class RigFailedError(RigError):
    """The program started but does not serve; the message ends with the tail of its log."""
