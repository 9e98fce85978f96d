"""How far has a long command got? Told on standard error, so that standard output has the result alone."""

import sys
import time
from concurrent.futures import CancelledError
from threading import Lock

_TERMINAL_SECONDS = 0.1
_LOG_SECONDS = 5.0
_BAR = 24


class Progress:
    """One line that is rewritten on a terminal; elsewhere a line every few seconds. For any number of threads."""

    def __init__(self, what: str, total: int, unit: str) -> None:
        self._what = what
        self._total = total
        self._unit = unit
        self._done = 0
        self._given_up = False
        self._on_terminal = sys.stderr.isatty()
        self._told = time.monotonic()
        self._lock = Lock()

    def add(self, count: int) -> None:
        """Count more that is done. Raises CancelledError once the work is given up."""
        if self._given_up:
            raise CancelledError
        with self._lock:
            self._done += count
            every = _TERMINAL_SECONDS if self._on_terminal else _LOG_SECONDS
            if time.monotonic() - self._told >= every:
                self._told = time.monotonic()
                self._tell("\r" if self._on_terminal else "", "" if self._on_terminal else "\n")

    def give_up(self) -> None:
        """Let what is under way end at its next step: from now on `add` raises CancelledError."""
        self._given_up = True

    def end(self) -> None:
        """Clear the terminal's line."""
        if self._on_terminal:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def _tell(self, before: str, after: str) -> None:
        of_all = f" of {self._total:,}" if self._total else ""
        bar = self._bar() if self._on_terminal and self._total else ""
        print(f"{before}{self._what}: {bar}{self._done:,}{of_all} {self._unit}", end=after, file=sys.stderr, flush=True)

    def _bar(self) -> str:
        share = min(self._done / self._total, 1.0)
        return f"[{'#' * int(share * _BAR):<{_BAR}}] {share:4.0%} "
