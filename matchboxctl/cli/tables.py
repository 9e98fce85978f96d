"""Tables and descriptions for a terminal, without control characters."""

from collections.abc import Iterable, Mapping, Sequence

_EMPTY = "-"
_GAP = "  "


def shown(text: str) -> str:
    """The text on one line, with escapes for everything that is not printable."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lines with aligned columns; empty cells are dashes."""
    lines = [head, *([shown(cell) or _EMPTY for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "".join(f"{_line(line, widths)}\n" for line in lines)


def description(facts: Sequence[tuple[str, Iterable[str]]]) -> str:
    """`Name:  value` lines; further lines of a value are below its first."""
    width = max(len(name) for name, _ in facts) + len(_GAP) + 1
    lines = []
    for name, values in facts:
        first, *others = [shown(value) for value in values] or [""]
        lines.append(f"{name + ':':{width}}{first or _EMPTY}")
        lines += [f"{'':{width}}{value}" for value in others]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def policy_lines(fields: Mapping[str, object]) -> list[str]:
    """The fields of a boot policy as `name: value`."""
    return [
        f"{name}: {', '.join(map(str, value)) if isinstance(value, list) else str(value).lower()}"
        for name, value in fields.items()
    ]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return _GAP.join(f"{cell:{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()
