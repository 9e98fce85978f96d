"""What did not work of a long command, told while it goes on with the rest."""

import sys


class Faults:
    """Counts what it tells on standard error."""

    def __init__(self) -> None:
        self.told = 0

    def tell(self, line: str) -> None:
        """Tell one fault."""
        self.told += 1
        print(f"matchboxctl: {line}", file=sys.stderr)
