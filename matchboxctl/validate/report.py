"""Findings for a reader."""

import textwrap
from collections.abc import Iterator
from itertools import groupby

from matchboxctl.cli.plurals import counted
from matchboxctl.cli.tables import shown
from matchboxctl.validate.findings import Finding, Result, Severity, shortened

_GAP = "  "
_WORD_WIDTH = max(map(len, Severity)) + len(_GAP)


def report(result: Result, width: int) -> str:
    """All findings by file, each with its severity, line and advice."""
    lines: list[str] = []
    for file, findings in groupby(result.findings, lambda finding: finding.file):
        lines += [shown(file)] if file else []
        lines += [line for finding in findings for line in _lines(finding, width)]
    return "".join(f"{line}\n" for line in lines)


def summary(result: Result) -> str:
    """The numbers of faults and notes, and of what was validated."""
    found = [counted(number, str(one)) for one in Severity if (number := result.count(one))]
    numbers = (result.groups, result.profiles, result.templates)
    kinds = [counted(number, one) for number, one in zip(numbers, ("group", "profile", "template"), strict=True)]
    return f"{', '.join(found) or 'nothing found'} in {', '.join(kinds)}"


def short_form(result: Result, command: str, limit: int) -> list[str]:
    """The summary, and the first findings, faults before notes; nothing if there are none. `command` shows all."""
    if not result.findings:
        return []
    first = sorted(result.findings, key=lambda one: one.severity is not Severity.FAULT)
    lines = [f"{_GAP}{_line(finding)}" for finding in first[:limit]]
    more = f"and {len(first) - limit} more; " if len(first) > limit else ""
    return [f"{summary(result)}:", *lines, f"{_GAP}{more}run `{command}` for all of them, and what to do"]


def _line(finding: Finding) -> str:
    line = "" if finding.line is None else f":{finding.line}"
    where = f"{finding.file}{line}: " if finding.file else ""
    return shown(f"{where}{finding.severity}: {finding.text}")


def _lines(finding: Finding, width: int) -> Iterator[str]:
    line = "" if finding.line is None else f"line {finding.line}: "
    first = f"{_GAP}{finding.severity:{_WORD_WIDTH}}"
    rest = " " * len(first)
    for text, indent in ((f"{line}{finding.text}", first), (shortened(finding.advice), rest)):
        # Paths and addresses stay whole, so that they can be copied.
        yield from textwrap.wrap(
            shown(text),
            width,
            initial_indent=indent,
            subsequent_indent=rest,
            break_long_words=False,
            break_on_hyphens=False,
        )
