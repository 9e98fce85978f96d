"""Tables and descriptions for a terminal, which nothing in a document can upset."""

from collections.abc import Iterable, Sequence

_NOTHING = "-"
_GAP = "  "


def shown(text: str) -> str:
    """The text on one line, with escapes for what would move a cursor, change colours or hide."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lines with aligned columns, each ended; an empty cell is a dash."""
    lines = [head, *([shown(cell) or _NOTHING for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "".join(f"{_line(line, widths)}\n" for line in lines)


def description(facts: Sequence[tuple[str, Iterable[str]]]) -> str:
    """`Name:  value` lines, each ended; further lines of a value stand below its first."""
    width = max(len(name) for name, _ in facts) + len(_GAP) + 1
    lines = []
    for name, values in facts:
        first, *others = [shown(value) for value in values] or [""]
        lines.append(f"{name + ':':{width}}{first or _NOTHING}")
        lines += [f"{'':{width}}{value}" for value in others]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return _GAP.join(f"{cell:{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()
