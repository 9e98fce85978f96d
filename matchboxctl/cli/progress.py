"""Progress of long work, on standard error: bars on a terminal, elsewhere a line every few seconds."""

import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from matchboxctl.cli.progress_bars import ProgressBars

BYTES = "bytes"
"""The unit that is shown with a speed, and as kB, MB or GB."""

_TERMINAL_SECONDS = 0.2
_LOG_SECONDS = 5.0
_UNITS = ((10**9, "GB"), (10**6, "MB"), (10**3, "kB"))

_lock = RLock()
_bars: "ProgressBars | None" = None


class Progress:
    """The progress of one piece of work; several may go on at once, in any threads.

    `total` is 0 where it is not known; `done` were done before. What ends soon shows nothing.
    """

    def __init__(self, what: str, total: int, unit: str, done: int = 0) -> None:
        self.what = what
        self.total = total
        self.unit = unit
        self.done = self._shown = done
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
            print(f"{self.what}: {', '.join(figures(self, speed))}", file=sys.stderr, flush=True)
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


def figures(progress: Progress, speed: float | None) -> list[str]:
    """`120.4/310.2 MB`, and of bytes that arrive at a known speed `12.1 MB/s` and `0:16 left`."""
    done, total = progress.done, progress.total
    if progress.unit != BYTES:
        return [f"{done:,}{f'/{total:,}' if total else ''} {progress.unit}"]
    # A unit of which there are ten: with one decimal, every percent shows.
    factor, unit = _unit((total or done) / 10)
    shown = [f"{done / factor:,.1f}{f'/{total / factor:,.1f}' if total else ''} {unit}"]
    if speed:
        factor, unit = _unit(speed)
        shown.append(f"{speed / factor:,.1f} {unit}/s")
        if total > done:
            minutes, seconds = divmod(round((total - done) / speed), 60)
            shown.append(f"{minutes}:{seconds:02} left")
    return shown


def _unit(size: float) -> tuple[int, str]:
    """The largest unit that is not above the size."""
    return next((unit for unit in _UNITS if size >= unit[0]), (1, BYTES))


def _shared_bars() -> "ProgressBars":
    global _bars
    if _bars is None:
        # Imported only here: it takes longer than most commands.
        from matchboxctl.cli.progress_bars import ProgressBars

        _bars = ProgressBars()
    return _bars
