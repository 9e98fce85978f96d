"""Data directories to validate."""

from collections.abc import Mapping
from pathlib import Path

from matchboxctl.validate.contents import directory_contents
from matchboxctl.validate.findings import Finding
from matchboxctl.validate.validation import validate
from tests.support.data_files import write_files

BOOT = {"kernel": "/assets/k", "initrd": ["/assets/i"]}
GOOD: Mapping[str, object] = {
    "groups/g.json": {"id": "g", "profile": "p", "selector": {"mac": "52:54:00:00:00:01"}},
    "profiles/p.json": {"id": "p", "boot": BOOT},
    "assets/k": "kernel",
    "assets/i": "initrd",
}
"""A data directory without a finding."""


def booting(args: list[str], **profile: object) -> Mapping[str, object]:
    """The profile of GOOD with these kernel arguments."""
    return {"profiles/p.json": {"id": "p", "boot": {**BOOT, "args": args}, **profile}}


def found(root: Path, files: Mapping[str, object], *, behind_cloudfront: bool = False) -> list[Finding]:
    """The findings on GOOD with these files added or replaced, with paths from the root."""
    contents = directory_contents(write_files(root, {**GOOD, **files}))
    findings = validate(contents, is_public=behind_cloudfront, https_only=behind_cloudfront).findings
    return [one._replace(file=one.file.removeprefix(f"{root}/")) for one in findings]


def one(root: Path, files: Mapping[str, object]) -> tuple[str, str, str, int | None, str]:
    """The only finding: severity, rule, file, line and message."""
    (finding,) = found(root, files)
    return str(finding.severity), finding.rule, finding.file, finding.line, finding.message
