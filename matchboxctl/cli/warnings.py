"""Warnings of a command that goes on with the rest of its work."""

import sys
from threading import Lock

from matchboxctl.cli.progress import bars_hidden
from matchboxctl.cli.wrapping import wrapped


class Warnings:
    """Prints warnings to standard error and counts them; thread-safe."""

    def __init__(self) -> None:
        self.count = 0
        self._lock = Lock()

    def summary(self, done: str) -> str:
        """`2 could not be listed (see the warnings above); the rest is listed`."""
        above = "warning" if self.count == 1 else "warnings"
        return f"{self.count} could not be {done} (see the {above} above); the rest is {done}"

    def warn(self, line: str) -> None:
        """Print one warning."""
        with self._lock, bars_hidden():
            self.count += 1
            print(wrapped(f"matchboxctl: {line}", sys.stderr), file=sys.stderr)
