"""Groups that are not where, or what, a data directory has."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from lambda_matchbox.golang.json import without_surrogates
from matchboxctl.cli.plurals import counted
from matchboxctl.directory.catalog import json_names
from matchboxctl.directory.files import DIRECTORIES
from matchboxctl.validate.findings import Finding, Severity

_MAX_NAMED = 3


def stray_findings(root: Path, unread: Sequence[Path], *, has_groups: bool) -> Iterator[Finding]:
    """Files that are not read as documents, and data directories below or above one without groups."""
    yield from _odd_names(root)
    for directory, count in Counter(file.parent for file in unread).items():
        above = root / directory.relative_to(root).parts[0]
        files = f"{counted(count, 'file')} in it" if directory != above else counted(count, "YAML file")
        message = f"{files} {'is' if count == 1 else 'are'} not read"
        advice = "convert to .json, or use `create`" if directory == above else f"move what it holds to {above}"
        yield Finding(Severity.FAULT, "directory", str(directory), message, advice)
    if has_groups:
        return
    below = sorted(child for child in _children(root) if json_names(child / "groups"))
    if below:
        names = ", ".join(child.name for child in below[:_MAX_NAMED]) + (", …" if below[_MAX_NAMED:] else "")
        message = f"it has no groups, but directories in it have: {names}"
        yield Finding(Severity.FAULT, "directory", str(root), message, f"use one of them, such as {below[0]}")
    else:
        is_part = root.name in DIRECTORIES and json_names(root.parent / "groups")
        advice = f"use {root.parent}" if is_part else "add some to groups/"
        yield Finding(Severity.FAULT, "directory", str(root), "it has no groups: no machine boots", advice)


def _odd_names(root: Path) -> Iterator[Finding]:
    """What has the name of a document and is none, or a name that only `serve` can read."""
    for directory in (root / "groups", root / "profiles", root / "sources"):
        for name in json_names(directory) if directory.is_dir() else ():
            file = directory / f"{name}.json"
            if name != without_surrogates(name):
                message = "its name is not UTF-8: other commands than serve refuse it"
                yield Finding(Severity.FAULT, "unreadable", str(file), message, "give it another name")
            elif file.is_dir():
                yield Finding(Severity.FAULT, "unreadable", str(file), "it is a directory", "give it another name")


def _children(root: Path) -> list[Path]:
    try:
        return [child for child in root.iterdir() if child.is_dir()]
    except OSError:
        return []
