"""What a translation reports: errors and warnings, each with its path in the Butane text and its place there."""

from typing import NamedTuple

from matchbox.errors import MatchboxError

Path = tuple[str | int, ...]
"""Keys and indexes, from the top of the Butane text."""


class Place(NamedTuple):
    """A line and a column, counted from 1; columns count characters."""

    line: int
    column: int


class Entry(NamedTuple):
    """An error or a warning. `path` is None for what concerns the text as a whole, `place` None if it is unknown.

    `message` is in Butane's words and can hold what stands in the text.
    """

    is_error: bool
    path: Path | None
    message: str
    place: Place | None = None

    @classmethod
    def error(cls, path: Path | None, message: str, place: Place | None = None) -> "Entry":
        """What ends the translation."""
        return cls(is_error=True, path=path, message=message, place=place)

    @classmethod
    def warning(cls, path: Path | None, message: str, place: Place | None = None) -> "Entry":
        """What is doubtful."""
        return cls(is_error=False, path=path, message=message, place=place)

    def __str__(self) -> str:
        """The entry as `butane --raw-errors` prints it."""
        kind = "error" if self.is_error else "warning"
        where = "" if self.path is None else f" {path_text(self.path)}"
        if self.place is not None:
            where += f"{',' if where else ''} line {self.place.line} col {self.place.column}"
        return f"{kind} at{where}: {self.message}" if where else f"{kind}: {self.message}"


Report = tuple[Entry, ...]
"""In the order in which Butane reports."""


class ButaneError(MatchboxError):
    """A text that is not translated: why, in Butane's words, and what was found up to there.

    `reason` and the report can show values of the text; `masked` is one line that shows none: the first error with
    its path and line.
    """

    def __init__(self, reason: str, report: Report = (), masked: str = "") -> None:
        super().__init__("\n".join([*map(str, report), reason]))
        self.reason = reason
        self.report = report
        self.masked = masked or _masked(reason, report)


def path_text(path: Path) -> str:
    """A path as reports show it, like `$.storage.files.0.path`."""
    return ".".join(("$", *map(str, path)))


def _masked(reason: str, report: Report) -> str:
    errors = [entry for entry in report if entry.is_error]
    if not errors:
        return reason
    others = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{errors[0]}{others}".removeprefix("error at ").removeprefix("error: ")
