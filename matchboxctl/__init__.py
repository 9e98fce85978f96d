"""The operator's command, and the stores on a directory."""

__version__ = "0.2.0"
