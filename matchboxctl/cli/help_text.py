"""The text of help, whose lines end between words."""

import re
from collections.abc import Iterable

import click

# Neither ends a line, and both are as wide as what they stand for.
_HYPHEN, _SPACE = "\u2011", "\u00a0"


class HelpText(click.HelpFormatter):
    """Keeps flags, names and `[env var: NAME` whole, so that they can be found and copied."""

    def write_text(self, text: str) -> None:
        """Write paragraphs."""
        super().write_text(_whole(text))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Write a list of terms and what they mean."""
        super().write_dl([(term, _whole(meaning)) for term, meaning in rows], col_max, col_spacing)

    def getvalue(self) -> str:
        """The text, as it was written."""
        return super().getvalue().replace(_HYPHEN, "-").replace(_SPACE, " ")


def _whole(text: str) -> str:
    # The column is too narrow for the longest names with what is before them.
    return re.sub(r"\[env var:( \S{,34};)?|default: ", lambda found: found[0].replace(" ", _SPACE), text).replace(
        "-", _HYPHEN
    )
