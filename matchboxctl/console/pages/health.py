"""The page on the store's health: what checks say, how old syncs and histories are, and the last errors."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from aiohttp import web

from matchboxctl.cli.plurals import counted
from matchboxctl.console.checks import CHECKS, Check, Checked
from matchboxctl.console.console import CONSOLE
from matchboxctl.console.templates import command, page
from matchboxctl.machines.event_texts import event_text
from matchboxctl.machines.last_errors import HOURS, MACHINES, LastErrors
from matchboxctl.releases.sync_ages import SyncAges
from matchboxctl.validate.findings import Severity
from matchboxctl.validate.overview import Overview
from matchboxctl.validate.report import summary

if TYPE_CHECKING:
    from lambda_matchbox.aws.fsck.rules import Finding as StoreFinding

_SHOWN = 50
"""Findings of a check; its command shows all."""

_WAIT_SECONDS = 1.0
_PROBLEM, _NOTE, _UNCHECKED, _FINE = "problem", "note", "unchecked", "fine"
_HISTORY = "History and errors of machines"
_LEVELS = (_PROBLEM, _NOTE, _UNCHECKED, _FINE)

_Found = TypeVar("_Found")


class Said(NamedTuple):
    """How bad it is, in a word and a sentence, and what the page lists."""

    level: str
    summary: str
    lines: Sequence[Any] = ()
    more: int = 0


class Part(NamedTuple):
    """A section of the page: `command` shows the same, and `level` is `unchecked` before the first result."""

    name: str
    title: str
    command: str
    checked: Checked[Any]
    said: Said


def _parts(request: web.Request) -> list[Part]:
    """The sections, those with problems first."""
    checks = request.app[CHECKS]
    parts = [
        _part("validate", "Documents", command(request, "validate"), checks.validation, _documents),
        *([_part("fsck", "Table and bucket", command(request, "fsck"), checks.fsck, _store)] if checks.fsck else []),
        _part("syncs", "Syncs of images", command(request, "releases", "SOURCE"), checks.syncs, _syncs),
        _part("errors", _HISTORY, command(request, "machine", "history", "MACHINE"), checks.errors, _errors),
    ]
    return sorted(parts, key=lambda part: _LEVELS.index(part.said.level))


def _part(name: str, title: str, line: str, check: Check[_Found], say: Callable[[_Found], Said]) -> Part:
    last = check.last
    if last.error:
        said = Said(_PROBLEM, last.error)
    elif last.found is None:
        said = Said(_UNCHECKED, "The first check runs.")
    else:
        said = say(last.found)
    return Part(name, title, line, last, said)


def _documents(found: Overview) -> Said:
    result = found.result
    findings = sorted(result.findings, key=lambda one: one.severity is not Severity.FAULT)
    level = _PROBLEM if result.count(Severity.FAULT) else _NOTE if findings else _FINE
    return Said(level, summary(result), findings[:_SHOWN], len(findings) - _SHOWN)


def _store(findings: Sequence["StoreFinding"]) -> Said:
    damage = [one for one in findings if one.kind.is_damage]
    garbage = [one for one in findings if one.kind.is_garbage]
    notes = [one for one in findings if not one.kind.is_damage and not one.kind.is_garbage]
    level = _PROBLEM if damage else _NOTE if findings else _FINE
    text = f"damage: {len(damage)}; garbage: {len(garbage)}; notes: {len(notes)}" if findings else "nothing found"
    return Said(level, text, [*damage, *notes, *garbage][:_SHOWN], len(findings) - _SHOWN)


def _syncs(found: SyncAges) -> Said:
    late = found.overdue
    lines = [*late, *(age for age in found.ages if age not in late)]
    text = f"{counted(len(found.ages), 'source')}; {len(found.refused)} invalid; {len(late)} not up to date"
    level = _PROBLEM if found.refused else _NOTE if late else _FINE
    return Said(level, text if found.ages or found.refused else "no image source", lines)


def _errors(found: LastErrors) -> Said:
    if found.is_off:
        return Said(_FINE, "turned off: MATCHBOX_HISTORY_DAYS is 0")
    level = _NOTE if found.errors else _FINE
    return Said(level, f"{counted(len(found.errors), 'error')} in the last {HOURS} hours", found.errors)


async def health(request: web.Request) -> web.Response:
    """The page."""
    await request.app[CHECKS].fresh(_WAIT_SECONDS)
    return _page(request, "health.html")


async def live(request: web.Request) -> web.Response:
    """The page's sections, as they are now."""
    return _page(request, "health_live.html")


def _page(request: web.Request, template: str) -> web.Response:
    return page(
        request,
        template,
        parts=_parts(request),
        event_text=event_text,
        own=f"{request.app[CONSOLE].settings.store}/",
        looked_at=MACHINES,
    )


ROUTES = (web.get("/health", health), web.get("/live/health", live))
