"""Progress bars on a terminal, of several pieces of work at once, below what the command prints."""

import os
import shutil
import sys
from contextlib import AbstractContextManager
from threading import RLock
from typing import NoReturn

from tqdm import tqdm

from matchboxctl.cli.work import Work

tqdm.set_lock(RLock())
# No thread that looks for bars that stand still.
tqdm.monitor_interval = 0


class ProgressBars:
    """The bars of what goes on; none is left at the end."""

    def __init__(self) -> None:
        self._bars: dict[Work, tqdm[NoReturn]] = {}

    def update(self, work: Work) -> None:
        """Show its current state; adds its bar."""
        # A terminal writes `^C` in the last two columns, which would begin a new line.
        width = shutil.get_terminal_size().columns - len("^C")
        if work not in self._bars:
            self._bars[work] = _bar(work)
        bar = self._bars[work]
        bar.ncols = width
        bar.bar_format = _line(work, bar.format_dict["rate"], width)
        bar.update(work.done - bar.n)

    def remove(self, work: Work) -> None:
        """Remove its bar, if it has one."""
        if work in self._bars:
            self._bars.pop(work).close()

    def hidden(self) -> AbstractContextManager[None]:
        """Show no bars during the body."""
        return tqdm.external_write_mode(file=sys.stderr)


def _bar(work: Work) -> "tqdm[NoReturn]":
    return tqdm(
        total=work.total or None,
        initial=work.done,
        file=sys.stderr,
        leave=False,
        # Shown when its figures are known, and at each update.
        delay=1e-9,
        mininterval=0,
        miniters=0,
        colour=None if os.environ.get("NO_COLOR") else "green",
    )


def _line(work: Work, speed: float | None, width: int) -> str:
    """The line of a bar, in which `{bar}` is replaced; a long name is cut, and figures are below one another."""
    figures = "  ".join(work.figures(speed)).rjust(width // 2)
    space = max(0, width - len(figures) - 2) * 2 // 3
    name = work.what if len(work.what) <= space else f"{work.what[: space - 1]}…"
    return f"{name:{space}} ".replace("{", "{{").replace("}", "}}") + f"{{bar}} {figures}"
