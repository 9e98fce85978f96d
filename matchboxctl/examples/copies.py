"""The examples, which a wheel has beside this module and a checkout at its root, and copies of them."""

import posixpath
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from lambda_matchbox.locked_directories import locked, remove_abandoned
from matchboxctl import REPOSITORY, __version__
from matchboxctl.cli.errors import FailedError, UsageError
from matchboxctl.cli.output import print_result, print_text
from matchboxctl.cli.tables import shown, table

_IN_WHEEL = Path(__file__).with_name("files")
_FILES = _IN_WHEEL if _IN_WHEEL.is_dir() else Path(__file__).parents[2] / "examples"
_LEFT_BY_SERVE = shutil.ignore_patterns("secrets", "releases", "state.*", "history.*", "groups.index", ".*")
_UNFINISHED = ".matchbox-example-"
_OUTWARD_LINK = re.compile(r"(?<=\]\()\.\./[^)\s]+")


def names() -> Sequence[str]:
    """The names of all examples."""
    return sorted(path.name for path in _FILES.iterdir() if path.is_dir())


def show(output: str) -> None:
    """Print what each example is: the title of its README."""
    titles = {name: (_FILES / name / "README.md").read_text().splitlines()[0].removeprefix("# ") for name in names()}
    print_result(output, lambda: titles, lambda: table(("NAME", "WHAT"), titles.items()))


def write(name: str, into: Path) -> None:
    """Write an example into a directory that is absent or empty. Raises UsageError and FailedError."""
    target = into.resolve()
    try:
        if target.exists() and not (target.is_dir() and not any(target.iterdir())):
            raise UsageError(f"{shown(str(into))} is there already: name a directory that is absent or empty")
        target.parent.mkdir(parents=True, exist_ok=True)
        remove_abandoned(target.parent, _UNFINISHED)
        with locked(target.parent, _UNFINISHED) as scratch:
            whole = scratch / name
            _copy(_FILES / name, whole)
            readme = whole / "README.md"
            readme.write_text(_OUTWARD_LINK.sub(lambda link: _published(name, link[0]), readme.read_text()))
            if not target.exists():
                whole.rename(target)
            else:
                # It may be a shell's directory, and keeps its mode.
                for entry in whole.iterdir():
                    entry.rename(target / entry.name)
    except OSError as error:
        raise FailedError(f"{shown(str(into))}: cannot be written: {error.strerror}") from error
    print_text(f"wrote the example {name}: {shown(str(into / 'README.md'))} says how to go on\n")


def _copy(source: Path, target: Path) -> None:
    """Copy without modes and times, which are those of a package."""
    target.mkdir()
    entries = {entry.name: entry for entry in source.iterdir()}
    for name in entries.keys() - _LEFT_BY_SERVE(str(source), [*entries]):
        if entries[name].is_dir():
            _copy(entries[name], target / name)
        else:
            shutil.copyfile(entries[name], target / name)


def _published(name: str, link: str) -> str:
    """The address of what a README links to beyond its example, in this version."""
    return f"{REPOSITORY}/blob/v{__version__}/{posixpath.normpath(f'examples/{name}/{link}')}"
