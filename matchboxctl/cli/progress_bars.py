"""Progress bars on a terminal, of several pieces of work at once, below what the command prints."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich import progress as rich_progress
from rich.console import Console, ConsoleDimensions
from rich.table import Column
from rich.text import Text

from matchboxctl.cli.work import Work

_BAR = 8
"""The least width of a bar, for which long names are cut."""


class ProgressBars:
    """The bars of what goes on; none is left at the end. The cursor is hidden meanwhile."""

    def __init__(self) -> None:
        self._rich = rich_progress.Progress(
            rich_progress.TextColumn(
                "{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis", ratio=2)
            ),
            rich_progress.BarColumn(bar_width=None, table_column=Column(min_width=_BAR, ratio=1)),
            _Figures(table_column=Column(no_wrap=True, justify="right")),
            console=_Console(stderr=True),
            expand=True,
            transient=True,
            # What is printed meanwhile uses `hidden`: Rich would wrap it, and write standard output to standard error.
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._tasks: dict[Work, rich_progress.TaskID] = {}

    def update(self, work: Work) -> None:
        """Show its current state; adds its bar."""
        if work not in self._tasks:
            self._tasks[work] = self._rich.add_task(work.what, total=work.total or None, completed=work.done, work=work)
            self._rich.start()
        self._rich.update(self._tasks[work], completed=work.done)

    def remove(self, work: Work) -> None:
        """Remove its bar, if it has one."""
        if work in self._tasks:
            self._rich.remove_task(self._tasks.pop(work))
            if not self._tasks:
                self._rich.stop()

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Show no bars during the body."""
        self._rich.stop()
        try:
            yield
        finally:
            if self._tasks:
                self._rich.start()


class _Console(Console):
    """Leaves the last two columns free: a terminal writes `^C` there, which would begin a new line."""

    @property  # type: ignore[misc] # nothing sets it
    def size(self) -> ConsoleDimensions:
        """The terminal's, without them."""
        width, height = super().size
        return ConsoleDimensions(width - len("^C"), height)


class _Figures(rich_progress.ProgressColumn):
    max_refresh = 0.5

    def render(self, task: rich_progress.Task) -> Text:
        """What is done, the speed and the time left."""
        return Text("  ".join(task.fields["work"].figures(task.speed)))
