"""Groups that are not where a data directory has them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from matchboxctl.cli.plurals import counted
from matchboxctl.directory.catalog import json_names
from matchboxctl.validate.findings import Finding, Severity

_MAX_NAMED = 3


def stray_findings(root: Path, nested: Sequence[Path], *, has_groups: bool) -> Iterator[Finding]:
    """Files in directories below those of documents, and data directories below one without groups."""
    for directory, count in Counter(file.parent for file in nested).items():
        above = root / directory.relative_to(root).parts[0]
        message = f"{counted(count, '.json file')} in this directory {'is' if count == 1 else 'are'} not read"
        yield Finding(Severity.FAULT, "directory", str(directory), message, f"move them to {above}")
    if has_groups:
        return
    below = sorted(child for child in _children(root) if json_names(child / "groups"))
    if below:
        names = ", ".join(child.name for child in below[:_MAX_NAMED]) + (", …" if below[_MAX_NAMED:] else "")
        message = f"it has no groups, but directories in it have: {names}"
        yield Finding(Severity.FAULT, "directory", str(root), message, f"use one of them, such as {below[0]}")
    else:
        yield Finding(
            Severity.FAULT, "directory", str(root), "it has no groups: no machine boots", "add some to groups/"
        )


def _children(root: Path) -> list[Path]:
    try:
        return [child for child in root.iterdir() if child.is_dir()]
    except OSError:
        return []
