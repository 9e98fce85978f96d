"""The files that a Butane config names: below one directory, and nowhere else."""

import os
import posixpath
from pathlib import Path

_NO_DIRECTORY = "local file paths are relative to a files directory that must be specified with -d/--files-dir"


class LocalFileError(Exception):
    """A file that cannot be read, in Butane's words."""


class LocalFiles:
    """The files below `directory`, of which there are none if it is None."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory

    def is_given(self) -> bool:
        """Whether there is a directory at all."""
        return self._directory is not None

    def path(self, name: str) -> Path:
        """Where the file `name` is; a leading slash means the directory itself.

        Raises:
            LocalFileError: there is no directory, or it would be outside of it.
        """
        if self._directory is None:
            raise LocalFileError(_NO_DIRECTORY)
        inside = posixpath.normpath(name.lstrip("/") or ".")
        if inside == ".." or inside.startswith("../"):
            raise LocalFileError("local file path traverses outside the files directory")
        return self._directory / inside

    def read(self, name: str) -> bytes:
        """The contents of the file `name`.

        Raises:
            LocalFileError: it cannot be read.
        """
        path = self.path(name)
        try:
            return path.read_bytes()
        except IsADirectoryError as error:
            raise LocalFileError(f"read {path}: {reason_of(error)}") from None
        except (OSError, ValueError) as error:
            raise LocalFileError(f"open {path}: {reason_of(error)}") from None


def reason_of(error: OSError | ValueError) -> str:
    """Why the operating system refused, as Go says it."""
    if isinstance(error, OSError) and error.errno:
        reason = os.strerror(error.errno)
        return reason[0].lower() + reason[1:]
    return "invalid argument"
