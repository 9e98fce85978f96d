"""The output of `import` and `export` on what they add, change and remove."""

from collections.abc import Collection
from typing import NamedTuple

WRITTEN = "what was written stays, a file that was under way starts anew; the same command goes on with the rest"
"""What an interruption leaves."""


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

    def lines(self) -> list[str]:
        """A line for each change: `+ group node1`, `~ profile worker`, `- asset vmlinuz`."""
        marked = (("+", self.added), ("~", self.changed), ("-", self.removed))
        return [f"{mark} {self.prefix}{name}" for mark, names in marked for name in names]

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
