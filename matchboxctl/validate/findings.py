"""What a validation finds."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

MAX_NAMED = 5
"""The groups that a message names; the others are counted."""

_MAX_SIZE = 1000
# The rules on what templates render, whose messages name no groups.
_RENDERED = frozenset({"template", "placeholder", "configuration", "talosctl", "butane"})


class Severity(StrEnum):
    """A fault keeps machines from booting, or gives them what was not meant; a note may be as intended."""

    FAULT = "fault"
    NOTE = "note"


class Finding(NamedTuple):
    """One finding, by the rule of that name.

    `file` is the document's path, in store mode that of its export; empty if none is meant. `line` is that of the file,
    None where the rule is about the document. `groups` are those whose machines are concerned, if the rule knows.
    """

    severity: Severity
    rule: str
    file: str
    message: str
    advice: str = ""
    line: int | None = None
    groups: Sequence[str] = ()

    @property
    def text(self) -> str:
        """The message for a reader, with the groups for which something was rendered."""
        message = shortened(self.message)
        return f"{message}, for {some(self.groups)}" if self.groups and self.rule in _RENDERED else message

    def document(self) -> Mapping[str, object]:
        """The finding for programs."""
        return {
            "severity": str(self.severity),
            "rule": self.rule,
            "file": self.file or None,
            "line": self.line,
            "message": self.message,
            "advice": self.advice or None,
            "groups": list(self.groups),
        }


class Result(NamedTuple):
    """The findings, ordered by file, and the numbers of groups, profiles and templates that were read."""

    findings: Sequence[Finding]
    groups: int
    profiles: int
    templates: int

    def count(self, severity: Severity) -> int:
        """The number of findings with that severity."""
        return sum(finding.severity is severity for finding in self.findings)

    def document(self) -> Mapping[str, object]:
        """The result for programs."""
        return {
            "faults": self.count(Severity.FAULT),
            "notes": self.count(Severity.NOTE),
            "groups": self.groups,
            "profiles": self.profiles,
            "templates": self.templates,
            "findings": [finding.document() for finding in self.findings],
        }


def shortened(text: str) -> str:
    """The text without the rest of one that quotes a very long name."""
    return text if len(text) <= _MAX_SIZE else f"{text[:_MAX_SIZE]}…"


def some(ids: Iterable[str]) -> str:
    """`group a`, or `groups a, b, c, d, e and 7 more`."""
    named = list(ids)
    more = f" and {len(named) - MAX_NAMED} more" if len(named) > MAX_NAMED else ""
    return f"group{'' if len(named) == 1 else 's'} {', '.join(named[:MAX_NAMED])}{more}"
