"""Files about the command that other programs read below a directory such as /usr/local/share."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from matchboxctl.cli.errors import FailedError, UsageError
from matchboxctl.cli.output import print_text
from matchboxctl.cli.tables import shown

MADE = "Made by matchboxctl: removed and replaced by its commands."
"""In every such file; others are left alone."""

OF_ALL_USERS = Path("/usr/local/share"), Path("/usr/share")
"""The directories where programs look for the files of all users."""


def install(files: Mapping[Path, str]) -> None:
    """Write the files, which contain MADE. Raises UsageError and FailedError."""
    for path in files:
        if path.is_symlink() or (path.exists() and not _is_made(path)):
            raise UsageError(f"{shown(str(path))} is not from matchboxctl: remove it, or choose another --share")
    from matchboxctl.directory.drafts import replacing

    for path, text in files.items():
        try:
            with replacing(path) as file:
                file.write(text.encode())
        except OSError as error:
            raise FailedError(f"{shown(str(path))}: cannot be written: {error.strerror}") from error
        print_text(f"wrote {shown(str(path))}\n")


def uninstall(paths: Iterable[Path]) -> None:
    """Remove those of the files that `install` has written. Raises FailedError."""
    for path in paths:
        if path.exists() and not path.is_symlink() and _is_made(path):
            try:
                path.unlink()
            except OSError as error:
                raise FailedError(f"{shown(str(path))}: cannot be removed: {error.strerror}") from error
            print_text(f"removed {shown(str(path))}\n")


def _is_made(path: Path) -> bool:
    try:
        return MADE.encode() in path.read_bytes()
    except OSError as error:
        raise FailedError(f"{shown(str(path))}: cannot be read: {error.strerror}") from error
