"""Progress of a long command, on standard error."""

import sys
import time
from concurrent.futures import CancelledError
from threading import Lock

_TERMINAL_SECONDS = 0.1
_LOG_SECONDS = 5.0
_BAR_WIDTH = 24


class Progress:
    """One line that is rewritten on a terminal; elsewhere a line every few seconds. Thread-safe."""

    def __init__(self, what: str, total: int, unit: str) -> None:
        self._what = what
        self._total = total
        self._unit = unit
        self._done = 0
        self._cancelled = False
        self._on_terminal = sys.stderr.isatty()
        self._printed = time.monotonic()
        self._lock = Lock()

    def add(self, count: int) -> None:
        """Add to what is done. Raises CancelledError after `cancel`."""
        if self._cancelled:
            raise CancelledError
        with self._lock:
            self._done += count
            interval = _TERMINAL_SECONDS if self._on_terminal else _LOG_SECONDS
            if time.monotonic() - self._printed >= interval:
                self._printed = time.monotonic()
                self._print()

    def cancel(self) -> None:
        """Let other threads stop at their next step: from now on `add` raises CancelledError."""
        self._cancelled = True

    def end(self) -> None:
        """Clear the terminal's line."""
        if self._on_terminal:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def _print(self) -> None:
        start, bar, end = ("\r", self._bar(), "") if self._on_terminal else ("", "", "\n")
        of_total = f" of {self._total:,}" if self._total else ""
        print(f"{start}{self._what}: {bar}{self._done:,}{of_total} {self._unit}", end=end, file=sys.stderr, flush=True)

    def _bar(self) -> str:
        if not self._total:
            return ""
        share = min(self._done / self._total, 1.0)
        return f"[{'#' * int(share * _BAR_WIDTH):<{_BAR_WIDTH}}] {share:4.0%} "
