"""Files of a data directory that are replaced by others: what differs, and the changes."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple

from lambda_matchbox.aws.parallel import in_parallel
from matchboxctl.cli.progress import Progress
from matchboxctl.cli.warnings import Warnings
from matchboxctl.directory.drafts import remove_drafts, replacing
from matchboxctl.directory.files import DIRECTORIES, files_below
from matchboxctl.transfer.differences import Differences

_OF_JSON = ("groups", "profiles", "sources")


class UnreadableFileError(Exception):
    """A file that is to be copied cannot be read; the message names it."""


class TargetFile(NamedTuple):
    """A file to write: whether an existing one has this content, how to write it, whether it is its owner's alone.

    Writing may raise UnreadableFileError.
    """

    is_in: Callable[[Path], bool]
    write: Callable[[BinaryIO], object]
    private: bool = False


class FileCopy:
    """The files to write by their paths in the data directory `root`."""

    def __init__(self, root: Path, targets: Mapping[str, TargetFile], warnings: Warnings) -> None:
        self._root = root
        self._targets = targets
        self._warnings = warnings

    def differences(self, spared: Collection[str] | None = None) -> Differences:
        """What to write; with `spared`, what the directory has besides these and the targets is to be removed."""
        targets = self._targets
        existing = {
            f"{name}/{path}"
            for name in DIRECTORIES
            for path, _ in files_below(self._root / name, self._warnings.warn)
            if name not in _OF_JSON or (path.endswith(".json") and "/" not in path)
        }
        kept = {path for path in targets if path in existing}
        same = {path for path in kept if _is_in(targets[path], self._root / path)}
        return Differences(
            "files",
            added=sorted(targets.keys() - kept),
            changed=sorted(kept - same),
            removed=[] if spared is None else sorted(existing - kept - set(spared)),
            unchanged=len(same),
        )

    def carry_out(self, shown: Differences, progress: Progress) -> Differences:
        """Make the changes; returns those that were made. Each file is written whole or not at all."""
        remove_drafts(self._root)
        failed: set[str] = set()

        def write(path: str) -> None:
            file, target = self._root / path, self._targets[path]
            try:
                file.parent.mkdir(parents=True, exist_ok=True)
                with replacing(file, private=target.private) as draft:
                    target.write(draft)
            except OSError as error:
                self._warnings.warn(f"{file}: cannot be written: {error.strerror}")
                failed.add(path)
            except UnreadableFileError as error:
                self._warnings.warn(str(error))
                failed.add(path)

        with progress:
            for _ in in_parallel(write, [*shown.added, *shown.changed], progress.cancel):
                pass
        for path in shown.removed:
            try:
                (self._root / path).unlink()
            except OSError as error:
                self._warnings.warn(f"{self._root / path}: cannot be removed: {error.strerror}")
                failed.add(path)
        return shown.without(failed)


def _is_in(target: TargetFile, file: Path) -> bool:
    try:
        return target.is_in(file) and not (target.private and file.stat().st_mode & 0o004)
    except OSError:
        # A dangling link or an unreadable file: the write shows whether it can be replaced.
        return False
