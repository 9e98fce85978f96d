"""`matchboxctl fsck`: check and repair of table and bucket."""

import sys
from collections.abc import Callable, Iterator, Mapping

from lambda_matchbox.aws.fsck.fsck import Fsck
from lambda_matchbox.aws.fsck.rules import Finding
from matchboxctl.cli.errors import FailedError, on_interrupt
from matchboxctl.cli.output import FORMATS, print_result
from matchboxctl.cli.progress import Progress, bars_hidden
from matchboxctl.store.advice import advising_on
from matchboxctl.store.mode import StoreSettings


def fsck(store: StoreSettings, output: str = "table", *, repair: bool) -> None:
    """Print a line for each finding, and a summary. Raises UsageError, and FailedError if damage remains."""
    print(f"checking {store.description}", file=sys.stderr)
    findings: list[Finding] = []
    kept = "what was repaired stays; " if repair else ""
    with (
        advising_on(store),
        on_interrupt(f"{kept}the same command checks everything anew"),
        Progress("reading the table", 0, "items") as progress,
    ):
        for finding in _found(store, progress.add, repair=repair):
            findings.append(finding)
            if output not in FORMATS:
                with bars_hidden():
                    print(f"{finding.kind.value}: {finding.text}{' (repaired)' if finding.repaired else ''}")
    damage = [finding for finding in findings if finding.kind.is_damage]
    garbage = [finding for finding in findings if finding.kind.is_garbage]
    notes = len(findings) - len(damage) - len(garbage)
    print_result(
        output,
        lambda: {"findings": [_document(finding) for finding in findings]},
        lambda: f"damage: {_count(damage)}; garbage: {_count(garbage)}; notes: {notes}\n",
    )
    remaining = sum(not finding.repaired for finding in damage)
    if remaining:
        advice = "follow the advice above" if repair else "run `matchboxctl fsck --repair`"
        raise FailedError(f"damage that remains: {remaining}; {advice}")


def found_in_table(store: StoreSettings) -> Iterator[Finding]:
    """The findings, without repairs. Raises UsageError, FailedError."""
    with advising_on(store):
        yield from _found(store, lambda _: None, repair=False)


def _found(store: StoreSettings, seen: Callable[[int], object], *, repair: bool) -> Iterator[Finding]:
    clients = store.clients(), store.light_clients()
    return Fsck(*clients, repair=repair, release_copies=store.release_copies).run(seen)


def _document(finding: Finding) -> Mapping[str, object]:
    severity = "damage" if finding.kind.is_damage else "garbage" if finding.kind.is_garbage else "note"
    return {
        "severity": severity,
        "kind": finding.kind.value,
        "message": finding.text,
        "repaired": finding.repaired,
    }


def _count(findings: list[Finding]) -> str:
    return f"{len(findings)} ({sum(finding.repaired for finding in findings)} repaired)"
