"""Progress of long work, on standard error: bars on a terminal, elsewhere a line every few seconds."""

import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING, Self

from matchboxctl.cli.work import Work

if TYPE_CHECKING:
    from matchboxctl.cli.progress_bars import ProgressBars

_TERMINAL_SECONDS = 0.2
_LOG_SECONDS = 5.0

_lock = RLock()
_bars: "ProgressBars | None" = None


class Progress(Work):
    """The progress of one piece of work; several may go on at once, in any threads.

    `total` is 0 where it is not known; `done` were done before. What ends soon shows nothing.
    """

    def __init__(self, what: str, total: int, unit: str, done: int = 0) -> None:
        super().__init__(what, total, unit, done)
        self._shown = done
        self._cancelled = False
        self._is_on_terminal = sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self._printed = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def add(self, count: int) -> None:
        """Add to what is done. Raises CancelledError after `cancel`."""
        if self._cancelled:
            raise CancelledError
        with _lock:
            self.done += count
            seconds = time.monotonic() - self._printed
            if seconds >= (_TERMINAL_SECONDS if self._is_on_terminal else _LOG_SECONDS):
                self._show(seconds)

    def cancel(self) -> None:
        """Let other threads stop at their next step: from now on `add` raises CancelledError."""
        self._cancelled = True

    def end(self) -> None:
        """Take its bar off the terminal."""
        if _bars is not None:
            _bars.remove(self)

    def _show(self, seconds: float) -> None:
        if self._is_on_terminal:
            _shared_bars().update(self)
        else:
            speed = (self.done - self._shown) / seconds
            print(f"{self.what}: {', '.join(self.figures(speed))}", file=sys.stderr, flush=True)
        self._printed, self._shown = time.monotonic(), self.done


@contextmanager
def bars_hidden() -> Iterator[None]:
    """Take the bars off the terminal while the body prints."""
    with _lock:
        if _bars is None:
            yield
            return
        with _bars.hidden():
            yield


def _shared_bars() -> "ProgressBars":
    global _bars
    if _bars is None:
        # Imported only here: it takes longer than most commands.
        from matchboxctl.cli.progress_bars import ProgressBars

        _bars = ProgressBars()
    return _bars
