"""The output of `import` and `export` on what they add, change and remove."""

import re
from collections.abc import Collection, Iterator, Mapping
from itertools import groupby
from textwrap import wrap
from typing import NamedTuple

from matchboxctl.cli.output import FORMATS, print_text, terminal_width

WRITTEN = "what was written stays, a file that was under way starts anew; the same command goes on with the rest"
"""What an interruption leaves."""

_KIND = re.compile(r"(?:\w+ template|\w+) |")
_FEW = 20
_INDENT = "    "


class Chosen(NamedTuple):
    """What a run is to do besides: remove what the source lacks, copy machines' states and secrets, or only print."""

    prune: bool
    machines: bool
    secrets: bool
    dry_run: bool


class Differences(NamedTuple):
    """The names of what is added, changed and removed, and the number of unchanged ones.

    `prefix` precedes each name.
    """

    what: str
    added: list[str]
    changed: list[str]
    removed: list[str]
    unchanged: int
    prefix: str = ""

    def lines(self, width: int | None = None) -> Iterator[str]:
        """A line for each change: `+ group node1`, `~ profile worker`, `- asset vmlinuz`.

        With the width of a terminal, many of a kind share lines: `+ group node1, node2, …`.
        """
        for mark, names in (("+", self.added), ("~", self.changed), ("-", self.removed)):
            for kind, these in groupby((f"{self.prefix}{name}" for name in names), _kind):
                changed = list(these)
                if width is None or len(changed) <= _FEW:
                    yield from (f"{mark} {name}" for name in changed)
                else:
                    text = ", ".join(name.removeprefix(kind) for name in changed)
                    yield from wrap(
                        f"{mark} {kind}{text}",
                        width,
                        subsequent_indent=_INDENT,
                        break_long_words=False,
                        break_on_hyphens=False,
                    )

    def without(self, names: Collection[str]) -> "Differences":
        """The same without the changes of these, which failed."""
        added, changed, removed = (
            [name for name in kind if name not in names] for kind in (self.added, self.changed, self.removed)
        )
        return self._replace(added=added, changed=changed, removed=removed)

    def summary(self, *, dry_run: bool) -> str:
        """The numbers of each."""
        would = "would be " if dry_run else ""
        changes = f"{len(self.added)} added, {len(self.changed)} changed, {len(self.removed)} removed"
        return f"{self.what}: {would}{changes}, {self.unchanged} unchanged"


class Report:
    """What a run changes, or would: lines as they come, or one document at the end."""

    def __init__(self, output: str, *, dry_run: bool) -> None:
        self._output = output
        self._dry_run = dry_run
        self._shown: list[Differences] = []

    def add(self, differences: Differences, *, names: bool = True) -> None:
        """Print the summary, after the names; without them, only a document has those."""
        self._shown.append(differences)
        if self._output not in FORMATS:
            for line in differences.lines(terminal_width()) if names else ():
                print(line)
            print(differences.summary(dry_run=self._dry_run))

    def end(self) -> None:
        """Print the document."""
        if self._output in FORMATS:
            print_text(FORMATS[self._output](self.document()))

    def document(self) -> Mapping[str, object]:
        """All changes, for programs."""
        return {
            "dry_run": self._dry_run,
            "added": [f"{shown.prefix}{name}" for shown in self._shown for name in shown.added],
            "changed": [f"{shown.prefix}{name}" for shown in self._shown for name in shown.changed],
            "removed": [f"{shown.prefix}{name}" for shown in self._shown for name in shown.removed],
            "unchanged": sum(shown.unchanged for shown in self._shown),
        }


def _kind(name: str) -> str:
    """`group `, `ignition template ` and the like; empty for a path."""
    found = _KIND.match(name)
    return "" if found is None else found[0]
