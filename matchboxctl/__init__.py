"""The operator's command, and the stores on a directory."""

__version__ = "0.2.0"

REPOSITORY = "https://github.com/OWNER/lambda-matchbox"
"""The address of the source, with a tag `v…` for each version."""
