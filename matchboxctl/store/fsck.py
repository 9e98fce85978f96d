"""`matchboxctl fsck`: what is wrong with table and bucket, and its repair."""

import sys

from lambda_matchbox.aws.fsck.fsck import Fsck
from lambda_matchbox.aws.fsck.rules import Finding
from matchboxctl.cli.errors import FailedError
from matchboxctl.cli.progress import Progress
from matchboxctl.store.advice import advising_on
from matchboxctl.store.mode import StoreSettings


def fsck(store: StoreSettings, *, repair: bool) -> None:
    """Print a line for each finding, and how many there are.

    Raises UsageError, and FailedError where damage remains.
    """
    print(f"checking {store.place}", file=sys.stderr)
    progress = Progress("reading the table", 0, "items")
    findings: list[Finding] = []
    with advising_on(store):
        check = Fsck(store.clients(), repair=repair)
        for finding in check.run(progress.add):
            progress.end()
            findings.append(finding)
            print(f"{finding.fault.kind.value}: {finding.fault.what}{' (mended)' if finding.mended else ''}")
    progress.end()
    damage = [finding for finding in findings if finding.fault.kind.is_damage]
    litter = [finding for finding in findings if finding.fault.kind.is_litter]
    notes = len(findings) - len(damage) - len(litter)
    print(f"damage: {_count(damage)}; litter: {_count(litter)}; notes: {notes}")
    remaining = sum(not finding.mended for finding in damage)
    if remaining:
        advice = "do what the lines above say" if repair else "run `matchboxctl fsck --repair`"
        raise FailedError(f"{remaining} damaged: {advice}")


def _count(findings: list[Finding]) -> str:
    return f"{len(findings)} ({sum(finding.mended for finding in findings)} mended)"
