"""Confirmation by the operator on a terminal."""

import sys

from matchboxctl.cli.errors import FailedError


def confirm_deletion() -> None:
    """Ask whether to delete anyway. Raises FailedError unless the operator says yes."""
    if sys.stdin is None or not sys.stdin.isatty():
        raise FailedError("nothing was deleted: stdin is not a terminal; use --yes")
    print("delete anyway? [y/N] ", end="", file=sys.stderr, flush=True)
    # Bytes, since a key may be typed in another encoding.
    if sys.stdin.buffer.readline().strip().lower() not in (b"y", b"yes"):
        raise FailedError("nothing was deleted")
