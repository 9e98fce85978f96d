"""Errors and warnings of a translation, with paths and positions in the Butane text."""

from typing import NamedTuple

MAX_ENTRIES = 1000
"""The maximum number of entries; one more says how many are left out, since a text can be nothing but errors."""

Path = tuple[str | int, ...]
"""Keys and indexes from the top of the Butane text."""


class Position(NamedTuple):
    """A line and a column, counted from 1 in characters."""

    line: int
    column: int


class ReportEntry(NamedTuple):
    """An error or a warning. `path` is None if it concerns the text as a whole, `position` None if unknown.

    `message` has Butane's wording and may quote the text.
    """

    is_error: bool
    path: Path | None
    message: str
    position: Position | None = None

    @classmethod
    def error(cls, path: Path | None, message: str, position: Position | None = None) -> "ReportEntry":
        """An error, which ends the translation."""
        return cls(is_error=True, path=path, message=message, position=position)

    @classmethod
    def warning(cls, path: Path | None, message: str, position: Position | None = None) -> "ReportEntry":
        """A warning."""
        return cls(is_error=False, path=path, message=message, position=position)

    def __str__(self) -> str:
        """The entry as `butane --raw-errors` prints it."""
        kind = "error" if self.is_error else "warning"
        where = "" if self.path is None else f" {path_text(self.path)}"
        if self.position is not None:
            where += f"{',' if where else ''} line {self.position.line} col {self.position.column}"
        return f"{kind} at{where}: {self.message}" if where else f"{kind}: {self.message}"


Report = tuple[ReportEntry, ...]
"""Entries in Butane's order."""


class ButaneError(Exception):
    """A Butane config that is not translated: the reason in Butane's words, and the report so far.

    Both may quote the text. `lines` say the same with paths and line numbers, without a value of the text, for logs and
    responses; the first is the reason.
    """

    def __init__(self, reason: str, report: Report = (), masked: tuple[str, ...] = ()) -> None:
        super().__init__("\n".join([*map(str, report), reason]))
        self.reason = reason
        self.report = report
        self.lines = masked or masked_lines(report) or (reason,)


def rest(count: int) -> str:
    """The message of a report's last entry, for those left out."""
    return f"the report ends here: {count} more"


def masked_lines(report: Report) -> tuple[str, ...]:
    """The entries, errors first, without syntax errors of inline JSON, which quote the text."""
    shown = [entry for entry in report if entry.path is not None]
    return tuple(str(entry) for is_error in (True, False) for entry in shown if entry.is_error is is_error)


def path_text(path: Path) -> str:
    """A path as reports show it, like `$.storage.files.0.path`."""
    return ".".join(("$", *map(str, path)))
