"""What a translation reports: errors and warnings, each with its path in the Butane text and its position there."""

from typing import NamedTuple

MAX_ENTRIES = 1000
"""A report ends with so many, and a line that says how many more there are: a text can be all problems."""

Path = tuple[str | int, ...]
"""Keys and indexes, from the top of the Butane text."""


class Position(NamedTuple):
    """A line and a column, counted from 1; columns count characters."""

    line: int
    column: int


class ReportEntry(NamedTuple):
    """An error or a warning. `path` is None for what concerns the text as a whole, `position` None if it is unknown.

    `message` is in Butane's words and can hold what stands in the text.
    """

    is_error: bool
    path: Path | None
    message: str
    position: Position | None = None

    @classmethod
    def error(cls, path: Path | None, message: str, position: Position | None = None) -> "ReportEntry":
        """What ends the translation."""
        return cls(is_error=True, path=path, message=message, position=position)

    @classmethod
    def warning(cls, path: Path | None, message: str, position: Position | None = None) -> "ReportEntry":
        """What is doubtful."""
        return cls(is_error=False, path=path, message=message, position=position)

    def __str__(self) -> str:
        """The entry as `butane --raw-errors` prints it."""
        kind = "error" if self.is_error else "warning"
        where = "" if self.path is None else f" {path_text(self.path)}"
        if self.position is not None:
            where += f"{',' if where else ''} line {self.position.line} col {self.position.column}"
        return f"{kind} at{where}: {self.message}" if where else f"{kind}: {self.message}"


Report = tuple[ReportEntry, ...]
"""In the order in which Butane reports."""


class ButaneError(Exception):
    """A text that is not translated: why, in Butane's words, and what was found up to there.

    These can show what stands in the text. `lines` are the same for a log and for a machine: each with its path and
    line, none with a value of the text. The first says why.
    """

    def __init__(self, reason: str, report: Report = (), masked: tuple[str, ...] = ()) -> None:
        super().__init__("\n".join([*map(str, report), reason]))
        self.reason = reason
        self.report = report
        self.lines = masked or masked_lines(report) or (reason,)


def rest(count: int) -> str:
    """The last line of a report, for what it leaves out."""
    return f"the report ends here: {count} more"


def masked_lines(report: Report) -> tuple[str, ...]:
    """The entries, errors first, without the one kind that shows a value: what is no JSON inside the text."""
    shown = [entry for entry in report if entry.path is not None]
    return tuple(str(entry) for is_error in (True, False) for entry in shown if entry.is_error is is_error)


def path_text(path: Path) -> str:
    """A path as reports show it, like `$.storage.files.0.path`."""
    return ".".join(("$", *map(str, path)))
