"""`matchboxctl ipxe fetch`: copies iPXE's programs, after all of them were checked."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from matchboxctl.cli.errors import FailedError, UsageError
from matchboxctl.cli.output import print_text
from matchboxctl.cli.tables import shown
from matchboxctl.directory.drafts import replacing
from matchboxctl.ipxe.binaries import BINARIES, DIRECTORIES, Binary, advice

_SUMS = "SHA256SUMS"
_SUM = re.compile(r"([0-9a-f]{64}) [ *](?:\./)?(.+)", re.ASCII | re.IGNORECASE)


class _Found(NamedTuple):
    name: str
    source: Path
    content: bytes
    sha256: str
    is_listed: bool


def fetch(directory: Path | None, into: Sequence[Path], architectures: Sequence[str], *, force: bool) -> None:
    """Copy the programs for the architectures into each directory. Raises UsageError and FailedError.

    Nothing is written unless all that were found are good, and in none of the places is another file.
    """
    if directory is not None and not directory.is_dir():
        raise UsageError(f"{shown(str(directory))} is not a directory: give one with iPXE's programs by --from")
    wanted = [each for each in BINARIES if each.arch in architectures]
    found = [*_found([directory] if directory else [Path(each) for each in DIRECTORIES], wanted)]
    targets = [(each, place / each.name) for place in into for each in found]
    others = [target for each, target in targets if _content(target) not in (None, each.content)]
    if others and not force:
        raise UsageError(
            f"other files are there, replaced with --force only: {', '.join(map(shown, map(str, others)))}"
        )
    for each, target in targets:
        done = "up to date" if _content(target) == each.content else "copied"
        if done == "copied":
            _write(target, each.content)
        listed = f", as in {_SUMS}" if each.is_listed else ""
        print_text(f"{shown(str(target))}: {done} from {shown(str(each.source))} (SHA-256 {each.sha256}{listed})\n")
    if missing := [each.name for each in wanted if each.name not in {one.name for one in found}]:
        where = shown(str(directory)) if directory else " and ".join(DIRECTORIES)
        raise FailedError(f"{where} {'has' if directory else 'have'} no {', '.join(missing)}: {advice()}")


def _found(directories: Sequence[Path], wanted: Sequence[Binary]) -> Iterator[_Found]:
    sums = {directory: _sums(directory) for directory in directories}
    for binary in wanted:
        for directory, name in ((directory, name) for directory in directories for name in binary.sources):
            content = _content(directory / name)
            if content is not None and binary.fits(content):
                sha256 = hashlib.sha256(content).hexdigest()
                listed = sums[directory].get(name)
                if listed not in (None, sha256):
                    raise FailedError(
                        f"{shown(str(directory / name))} has the SHA-256 {sha256}, but {_SUMS} has {listed}"
                    )
                yield _Found(binary.name, directory / name, content, sha256, listed is not None)
                break


def _sums(directory: Path) -> dict[str, str]:
    text = (_content(directory / _SUMS) or b"").decode(errors="replace")
    return {found[2]: found[1].lower() for line in text.splitlines() if (found := _SUM.fullmatch(line))}


def _content(path: Path) -> bytes | None:
    """The file's bytes; None without a file. Raises FailedError."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise FailedError(f"{shown(str(path))}: cannot be read: {error.strerror}") from error


def _write(path: Path, content: bytes) -> None:
    try:
        with replacing(path) as file:
            file.write(content)
    except OSError as error:
        raise FailedError(f"{shown(str(path))}: cannot be written: {error.strerror}") from error
