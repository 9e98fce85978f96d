"""What did not work of a long command, told while it goes on with the rest."""

import sys
from threading import Lock


class Faults:
    """Counts what it tells on standard error. For any number of threads."""

    def __init__(self) -> None:
        self.told = 0
        self._lock = Lock()

    def tell(self, line: str) -> None:
        """Tell one fault."""
        with self._lock:
            self.told += 1
            print(f"matchboxctl: {line}", file=sys.stderr)
